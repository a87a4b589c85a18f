package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/internal/seal"
	"gatehouse/store"
)

// storageFlags say where everything is kept. The server has them, and every
// command that works beside it on the same database.
type storageFlags struct {
	Data        string `help:"Folder of the embedded database and of the keys; gatehouse-data unless said." placeholder:"FOLDER" type:"path" env:"GATEHOUSE_DATA"`
	Keys        string `help:"File with the keys that seal secrets; DATA/keys unless said." placeholder:"FILE" type:"path" env:"GATEHOUSE_KEYS"`
	DatabaseURL string `name:"database-url" help:"PostgreSQL that everything is kept in, instead of the embedded database." placeholder:"postgres://…" env:"GATEHOUSE_DATABASE_URL"`
}

// keyring reads the keys, or makes them on the first start.
func (c *storageFlags) keyring(log *slog.Logger) (*seal.Keyring, error) {
	if c.Keys == "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("the data folder %s cannot be used: %w", c.Data, err)
		}
		c.Keys = filepath.Join(c.Data, "keys")
	}
	keys, err := seal.Load(c.Keys)
	if errors.Is(err, os.ErrNotExist) {
		keys = seal.New()
		if err = keys.Save(c.Keys); err == nil {
			log.Info("made new keys: keep a copy apart from the database", "file", c.Keys)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key file %s cannot be used: %w", c.Keys, err)
	}
	return keys, nil
}

// checkDatabaseURL refuses what names no PostgreSQL. Of what was given it
// repeats the scheme alone: a password may stand in the rest.
func (c *storageFlags) checkDatabaseURL() error {
	const possible = "possible are postgres://user:password@host:5432/database and postgresql://…; without the flag, everything is kept in the embedded database in --data"
	if c.DatabaseURL == "" || strings.HasPrefix(c.DatabaseURL, "postgres://") || strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		return nil
	}
	scheme, _, found := strings.Cut(c.DatabaseURL, "://")
	if found && len(scheme) <= 20 {
		return fmt.Errorf("--database-url begins with %s://, which is no PostgreSQL: %s", scheme, possible)
	}
	// host=… dbname=… is what PostgreSQL's own programs take as well.
	if strings.Contains(c.DatabaseURL, "=") {
		return nil
	}
	return fmt.Errorf("--database-url names no PostgreSQL: %s", possible)
}

// openExisting opens the database of a server for a command: with the keys that
// are there, and never a new database or new keys, which a wrong folder would
// otherwise lead to. Of the keys the one is in force that the database says.
func (c *storageFlags) openExisting(ctx context.Context) (*store.Store, *seal.Keyring, error) {
	c.Data = cmp.Or(c.Data, defaultData)
	if err := c.checkDatabaseURL(); err != nil {
		return nil, nil, err
	}
	if c.DatabaseURL == "" {
		if _, err := os.Stat(filepath.Join(c.Data, store.FileName)); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("there is no database in %s: name the server's data folder with --data, or its PostgreSQL with --database-url", c.Data)
		}
	}
	file := c.keyFile()
	keys, err := seal.Load(file)
	if err != nil {
		return nil, nil, fmt.Errorf("the key file %s cannot be used: %w", file, err)
	}
	db, err := store.Open(ctx, store.Config{Folder: c.Data, DatabaseURL: c.DatabaseURL, Keys: keys, Log: slog.New(slog.DiscardHandler)})
	return db, keys, err
}

// with lets a command work on the database of a server, and closes it.
func (c *storageFlags) with(ctx context.Context, do func(db *store.Store, keys *seal.Keyring) error) error {
	db, keys, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(db, keys), db.Close())
}

// keyFile is where the keys are.
func (c *storageFlags) keyFile() string {
	if c.Keys != "" {
		return c.Keys
	}
	return filepath.Join(cmp.Or(c.Data, defaultData), "keys")
}
