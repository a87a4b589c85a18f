package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"gatehouse/internal/fault"
)

// The result codes of SQLite that we tell apart (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadOnly   = 8
	sqliteIOError    = 10
	sqliteFull       = 13
	sqliteCannotOpen = 14

	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
)

// The error codes of PostgreSQL that we tell apart (its manual, appendix A).
const (
	pgForeignKey    = "23503"
	pgUnique        = "23505"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
)

// translate makes an error of a database a fault. Errors of contexts, and
// faults, stay what they are; whatever is left is our own mistake.
func translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	switch {
	case isUnique(err):
		return fault.Exists.Errorf("It exists already.").Because(err)
	case isForeignKey(err):
		return fault.NotFound.Errorf("What this refers to does not exist.").Because(err)
	case isAway(err):
		return unavailable(err)
	}
	return fmt.Errorf("database: %w", err)
}

func unavailable(cause error) error {
	return fault.Unavailable.Errorf("The database cannot be reached or is busy. Try again in a moment.").Because(cause)
}

func isUnique(err error) bool {
	code := sqliteCode(err)
	return code == sqliteUnique || code == sqlitePrimaryKey || pgCode(err) == pgUnique
}

func isForeignKey(err error) bool {
	return sqliteCode(err) == sqliteForeignKey || pgCode(err) == pgForeignKey
}

// isRepeatable reports whether a transaction failed only because of others
// beside it.
func isRepeatable(err error) bool {
	code := pgCode(err)
	return code == pgSerialization || code == pgDeadlock
}

// isAway reports whether the database is away, or cannot work for now.
func isAway(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqliteBusy, sqliteLocked, sqliteReadOnly, sqliteIOError, sqliteFull, sqliteCannotOpen:
		return true
	}
	if code := pgCode(err); code != "" {
		return isAwayCode(code)
	}
	for _, target := range []error{driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, target) {
			return true
		}
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || err.Error() == closedPool
}

// closedPool is what database/sql says after Close; it has no name there.
const closedPool = "sql: database is closed"

// isAwayCode reports whether PostgreSQL says that it cannot work for now, or
// not alongside the others: connection (08), transaction rollback (40),
// resources (53), shutdown and cancelling (57), system (58), locks (55P03), a
// standby that takes no writes (25006), lost passwords and rights (28).
func isAwayCode(code string) bool {
	for _, class := range []string{"08", "28", "40", "53", "57", "58", "55P03", "25006"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// sqliteCode gives the extended result code of SQLite, or 0.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// pgCode gives the error code of PostgreSQL, or "".
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
