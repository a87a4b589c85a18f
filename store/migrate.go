package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"gatehouse/internal/fault"
)

// Migrations go forward only, have the same numbers and names for both
// databases, and are never edited once released.
//
//go:embed migrations
var migrations embed.FS

// schemaVersion is the number of the newest migration; a test holds that there
// is one of each number.
func schemaVersion() int64 {
	entries, err := migrations.ReadDir("migrations/sqlite")
	if err != nil || len(entries) == 0 {
		panic("store: no migrations in the program") // they are ours
	}
	version, err := goose.NumericComponent(entries[len(entries)-1].Name())
	if err != nil {
		panic(err)
	}
	return version
}

// migrate brings a database up to date. It refuses one that is newer than this
// program.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string, options ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	// Most starts find nothing to do; they need not wait for a lock. SQLite
	// has none: who comes second fails, and finds the work done.
	for range 3 {
		var current int64
		if current, err = provider.GetDBVersion(ctx); err == nil && current >= schemaVersion() {
			return checkVersion(current)
		}
		if _, err = provider.Up(ctx); err == nil {
			return nil
		}
	}
	return fmt.Errorf("bring the database's schema up to date: %w", err)
}

func checkVersion(version int64) error {
	if newest := schemaVersion(); version > newest {
		return fmt.Errorf("the database has schema version %d, and this program knows %d: start the newer Gatehouse that it was last used with", version, newest)
	}
	return nil
}

func errOldSchema(version int64) error {
	return fault.Unavailable.Errorf("The database is not ready.").
		Because(fmt.Errorf("it has schema version %d, needed is %d", version, schemaVersion()))
}
