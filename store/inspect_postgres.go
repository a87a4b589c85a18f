package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// inspectPostgres looks at a server.
func inspectPostgres(ctx context.Context, c Config, r *Report) error {
	r.Kind = "PostgreSQL"
	config, err := pgx.ParseConfig(c.DatabaseURL)
	if err != nil {
		// The parser's error leaves passwords out.
		return fmt.Errorf("the database URL cannot be used: %w", err)
	}
	r.Where = net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))) + "/" + config.Database
	config.ConnectTimeout = connectWait
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		_, private := conn.PgConn().Conn().(*tls.Conn)
		r.Exposed = !private && isPublic(conn.PgConn().Conn().RemoteAddr())
		return nil
	}))
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("%w: %s", whyNot(err), said(err))
	}
	s := &Store{keys: c.Keys, db: observed{pool: pool, readOnly: &sql.TxOptions{ReadOnly: true}, clockText: (*postgres)(nil).clock()}}
	if err := s.lookAtPostgres(ctx, r); err != nil {
		return fmt.Errorf("%w: %s", ErrUnreadable, oneLine(err))
	}
	return nil
}

// lookAtPostgres asks what is only a server's.
func (s *Store) lookAtPostgres(ctx context.Context, r *Report) error {
	version := 0
	var standby, maker bool
	var standing string
	_, err := one(ctx, s, func(row row) (struct{}, error) {
		return struct{}{}, row.Scan(&r.Version, &version, &standby, &standing, &maker)
	}, `SELECT current_setting('server_version'), current_setting('server_version_num')::int, pg_is_in_recovery(),
		current_setting('default_transaction_read_only'), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)`)
	if err != nil {
		return fmt.Errorf("ask for the database's version: %w", err)
	}
	r.Version, _, _ = strings.Cut(r.Version, " ")
	if err := checkPostgres(version); err != nil {
		return err
	}
	tables, err := s.tables(ctx, `
		SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')`)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	switch {
	case standby:
		r.Unwritable = errors.New("it is a standby, which only reads")
	case standing == "on":
		r.Unwritable = errors.New("default_transaction_read_only is on")
	case !maker && len(tables) == 0:
		r.Unwritable = errors.New("its user may not make tables there")
	}
	return s.look(ctx, r, tables)
}

// said is what the driver says, once: it tries some addresses twice, and has a
// line for each try.
func said(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.Compact(lines), " ")
}

// whyNot tells apart what is mended in different places.
func whyNot(err error) error {
	switch code := pgCode(err); {
	case strings.HasPrefix(code, "28"):
		return ErrNotLetIn
	case strings.HasPrefix(code, "3D"):
		return ErrNoDatabase
	}
	return ErrAway
}

// isPublic reports whether an address is one of a network that others share.
func isPublic(a net.Addr) bool {
	if a == nil || a.Network() == "unix" {
		return false
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return false
	}
	ip := at.Addr().Unmap()
	return !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast()
}
