package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"gatehouse/gate"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// perPerson is how many tokens each person has.
const perPerson = 20

// large measures what a check of a token and a list of a person's tokens cost
// among many: of one organization's people, on one database that grows.
func (b *bench) large(ctx context.Context, folder string, sizes []int) error {
	keys := seal.New()
	db, err := store.Open(ctx, store.Config{Folder: folder, DatabaseURL: b.database, Keys: keys})
	if err != nil {
		return err
	}
	defer db.Close()
	raw, kind, err := b.raw(folder)
	if err != nil {
		return err
	}
	defer raw.Close()
	fmt.Printf("%s\n\n| tokens | filled in | a check, any token | p99 | a list of %d | p99 | database |\n|---|---|---|---|---|---|---|\n", kind, perPerson)
	for have := 0; len(sizes) > 0; sizes = sizes[1:] {
		begin := time.Now()
		if err := fill(ctx, raw, kind, have, sizes[0]); err != nil {
			return fmt.Errorf("fill up to %d: %w", sizes[0], err)
		}
		have = sizes[0]
		filled := time.Since(begin)
		check, err := sample(2000, func() error {
			_, err := db.Pass(ctx, hashOf(rand.IntN(have)), gate.Where{OrganizationID: "org-large"})
			return err
		})
		if err != nil {
			return err
		}
		list, err := sample(1000, func() error {
			all, err := db.TokensOf(ctx, person(rand.IntN(have/perPerson)), time.Now())
			if err == nil && len(all) != perPerson {
				err = fmt.Errorf("got %d tokens of one person", len(all))
			}
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %s | %.3f ms | %.3f ms | %.3f ms | %.3f ms | %d MB |\n", have, filled.Round(time.Second),
			ms(check[len(check)/2]), ms(check[len(check)*99/100]), ms(list[len(list)/2]), ms(list[len(list)*99/100]), size(ctx, raw, kind)>>20)
	}
	return nil
}

// runLarge is large, in a folder of its own.
func (b *bench) runLarge(ctx context.Context, sizes string) error {
	var all []int
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n%perPerson != 0 || len(all) > 0 && n <= all[len(all)-1] {
			return fmt.Errorf("-large wants growing multiples of %d, not %q", perPerson, sizes)
		}
		all = append(all, n)
	}
	folder, err := os.MkdirTemp(".", ".bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if b.database != "" {
		drop, err := b.ownDatabase(ctx)
		if err != nil {
			return err
		}
		defer drop()
	}
	return b.large(ctx, folder, all)
}

// ownDatabase makes a database beside the one that was named, and names it
// instead.
func (b *bench) ownDatabase(ctx context.Context) (drop func(), err error) {
	db, err := sql.Open("pgx", b.database)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("bench_large_%d", time.Now().UnixNano())
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	drop = func() {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
		db.Close()
	}
	u, err := url.Parse(b.database)
	if err != nil {
		drop()
		return nil, err
	}
	u.Path = "/" + name
	b.database = u.String()
	return drop, nil
}

// raw opens the same database for what no store offers.
func (b *bench) raw(folder string) (*sql.DB, string, error) {
	if b.database != "" {
		db, err := sql.Open("pgx", b.database)
		return db, "PostgreSQL", err
	}
	err := sqlite.RegisterDeterministicScalarFunction("bench_hash", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		hash := hashOf(int(args[0].(int64)))
		return hash[:], nil
	})
	if err != nil {
		return nil, "", err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "gatehouse.db")+"?_pragma=busy_timeout(60000)&_pragma=synchronous(0)&_pragma=temp_store(1)&_pragma=cache_size(-500000)")
	return db, "SQLite", err
}

func person(i int) string { return fmt.Sprintf("u%011x", i) }

// hashOf is the hash of token i: in no order, as real ones are.
func hashOf(i int) [sha256.Size]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// dialect is what the two databases say differently.
type dialect struct{ hash, id, prefix, numbers, later string }

var dialects = map[string]dialect{
	"PostgreSQL": {
		hash:    `sha256(int8send(n::bigint))`,
		id:      `'u' || lpad(to_hex(%s), 11, '0')`,
		prefix:  `'gtp_' || lpad((n % 20)::text, 8, '0')`,
		numbers: `generate_series($1::bigint, $2::bigint - 1) AS s(n)`,
		later:   `now() + interval '30 days'`,
	},
	"SQLite": {
		hash:    `bench_hash(n)`,
		id:      `printf('u%%011x', %s)`,
		prefix:  `printf('gtp_%08d', n % 20)`,
		numbers: `(WITH RECURSIVE s(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $2) SELECT n FROM s)`,
		later:   `'2099-01-01 00:00:00+00:00'`,
	},
}

// fill adds people and tokens, from one number of tokens to another. Tokens
// come in the order of their hashes: the tree is the same, and the wait is not.
func fill(ctx context.Context, db *sql.DB, kind string, from, to int) error {
	d, now := dialects[kind], `'2026-01-01 00:00:00+00:00'`
	person := fmt.Sprintf(d.id, "n")
	owner := fmt.Sprintf(d.id, "n / 20")
	statements := []struct {
		query    string
		from, to int
	}{
		{`INSERT INTO person (id, email, real_name, state, is_operator, address_proved, city, country, department, job_title, password_hash, created_at, updated_at)
			SELECT ` + person + `, ` + person + ` || '@large.test', 'Person', 'active', FALSE, TRUE, '', '', '', '', '', ` + now + `, ` + now + ` FROM ` + d.numbers, from / perPerson, to / perPerson},
		{`INSERT INTO member (organization_id, user_id, super_admin, joined_at)
			SELECT 'org-large', ` + person + `, FALSE, ` + now + ` FROM ` + d.numbers, from / perPerson, to / perPerson},
		{`INSERT INTO token (hash, user_id, prefix, kind, method_kind, two_factor, logged_in_at, created_at, expires_at, description, user_agent, ip)
			SELECT ` + d.hash + `, ` + owner + `, ` + d.prefix + `, 'personal', 'password', FALSE, ` + now + `, ` + now + `, ` + d.later + `, 'Measured', 'bench', ''
			FROM ` + d.numbers + ` ORDER BY 1`, from, to},
	}
	if kind == "PostgreSQL" { // whose casts are said
		for i := range statements {
			statements[i].query = strings.ReplaceAll(statements[i].query, now, now+`::timestamptz`)
		}
	}
	if from == 0 {
		for _, query := range []string{
			`INSERT INTO organization (id, account_id, name, tier, suspended, created_at, updated_at) VALUES ('org-large', 'a-large', 'Large', 'business', FALSE, ` + now + `, ` + now + `)`,
			`INSERT INTO account (id, organization_id, name, created_at, updated_at) VALUES ('a-large', 'org-large', 'Large', ` + now + `, ` + now + `)`,
		} {
			if _, err := db.ExecContext(ctx, query); err != nil {
				return err
			}
		}
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s.query, s.from, s.to); err != nil {
			return err
		}
	}
	_, err := db.ExecContext(ctx, `ANALYZE`)
	return err
}

// sample does something n times after as many to warm up, and gives how long
// each took, sorted.
func sample(n int, do func() error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for i := range 2 * n {
		begin := time.Now()
		if err := do(); err != nil {
			return nil, err
		}
		if i >= n {
			took = append(took, time.Since(begin))
		}
	}
	slices.Sort(took)
	return took, nil
}

// size is what the database takes, in bytes.
func size(ctx context.Context, db *sql.DB, kind string) (n int64) {
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if kind == "PostgreSQL" {
		query = `SELECT pg_database_size(current_database())`
	}
	_ = db.QueryRowContext(ctx, query).Scan(&n)
	return n
}
