package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// backupCommand copies the embedded database while the server goes on.
type backupCommand struct {
	File string `arg:"" help:"Where to copy the database to; the file must not exist." type:"path"`
	JSON bool   `name:"json" help:"Print the result as JSON."`

	storageFlags
}

// Help is shown above the flags.
func (backupCommand) Help() string {
	return "The server may be running. The keys are not in the copy: keep a copy of the key file too, in another place. For PostgreSQL it prints the command that does the same."
}

// A copied is what the command prints.
type copied struct {
	File    string  `json:"file"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// Run copies the database. The copying stands in the audit log, or there is no
// copy.
func (c *backupCommand) Run(ctx context.Context, stdout io.Writer, logs logOutput) error {
	if err := c.checkDatabaseURL(); err != nil {
		return err
	}
	if c.DatabaseURL != "" {
		return fmt.Errorf("PostgreSQL has its own tool for this: %s", pgDump(c.DatabaseURL, c.File))
	}
	return c.with(ctx, func(db *store.Store, _ *seal.Keyring) error { return c.copy(ctx, db, stdout, logs) })
}

func (c *backupCommand) copy(ctx context.Context, db *store.Store, stdout io.Writer, logs logOutput) error {
	start := time.Now()
	size, err := db.Backup(ctx, c.File, reporter(logs, start))
	if err != nil {
		return err
	}
	out := copied{File: c.File, Bytes: size, Seconds: time.Since(start).Round(time.Millisecond).Seconds()}
	err = auditLog(db).Record(ctx, audit.Event{
		Actor: audit.Operator(), Action: audit.BackupCreate, Target: audit.Target{Kind: "file", ID: c.File},
		Details: audit.Details{"bytes": fmt.Sprint(size)},
	})
	if err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	if c.JSON {
		return json.NewEncoder(stdout).Encode(out)
	}
	_, err = fmt.Fprintf(stdout, "Copied the database to %s: %.1f MB in %.1f s.\nThe keys are not in it. Keep a copy of %s too, in another place: without it, the database cannot be used.\n",
		out.File, float64(out.Bytes)/1e6, out.Seconds, c.keyFile())
	return err
}

// reporter says every two seconds how far the copying has come.
func reporter(logs logOutput, start time.Time) func(done, total int64) {
	next := start.Add(2 * time.Second)
	return func(done, total int64) {
		now := time.Now()
		if now.Before(next) {
			return
		}
		next = now.Add(2 * time.Second)
		fmt.Fprintf(logs, "gatehouse: copied %.1f MB of about %.1f MB\n", float64(done)/1e6, float64(total)/1e6)
	}
}

// libpqOptions are the options of a URL that PostgreSQL's own programs know and
// that matter for connecting; the rest of a URL is for this program.
var libpqOptions = []string{"host", "port", "dbname", "user", "sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"}

// pgDump writes the command that copies a database of PostgreSQL. The password
// stays out of it: it would stand in the terminal's history, and in the list of
// processes.
func pgDump(databaseURL, file string) string {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "pg_dump --format=custom --file=" + quote(file) + " --dbname=DATABASE"
	}
	schema := u.Query().Get("search_path")
	kept := url.Values{}
	for name, values := range u.Query() {
		if slices.Contains(libpqOptions, name) {
			kept[name] = values
		}
	}
	u.RawQuery, u.Fragment = kept.Encode(), ""
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	command := "pg_dump --format=custom --no-owner --file=" + quote(file)
	if schema != "" {
		command += " --schema=" + quote(schema)
	}
	return command + " --dbname=" + quote(u.String())
}

// quote makes a text one word of a shell's.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
