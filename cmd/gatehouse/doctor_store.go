package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/redis"
)

// An inspection is what the database said, once: the keys are compared with it
// before it is judged itself.
type inspection struct {
	done   bool
	keys   *seal.Keyring // nil: there are none, or they cannot be read
	report store.Report
	err    error
}

// inspect looks at the database, the first time.
func (e *examination) inspect(ctx context.Context) *inspection {
	i := &e.looking
	if i.done {
		return i
	}
	i.done = true
	if i.err = e.checkDatabaseURL(); i.err != nil {
		return i
	}
	i.report, i.err = store.Inspect(ctx, store.Config{Folder: e.Data, DatabaseURL: e.DatabaseURL, Keys: i.keys, Log: slog.New(slog.DiscardHandler)})
	return i
}

// asServer is what to do where the file system lets us not look.
const asServer = "run gatehouse doctor as the user that the server runs as"

// keyFiles judges the key file, and whether it fits the database.
func (e *examination) keyFiles(ctx context.Context, k *check) {
	file := e.keyFile()
	k.LookedAt = file
	keys, err := seal.Load(file)
	e.looking.keys = keys
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.judgeNoKeys(ctx, k, file)
		return
	case errors.Is(err, fs.ErrPermission):
		k.wrong(asServer, "the key file cannot be read: permission denied")
		return
	case err != nil:
		says, mend, _ := strings.Cut(err.Error(), ": run ")
		if mend == "" {
			mend = "restore the key file from its copy"
		} else {
			mend = "run " + mend + "; if others may have read it, rotate the keys (gatehouse keys rotate)"
		}
		k.wrong(mend, "%s", says)
		return
	}
	i := e.inspect(ctx)
	if i.err != nil {
		k.doubtful("mend the database first", "the file holds %s, which cannot be compared with the database", amount(len(keys.IDs()), "key"))
		return
	}
	e.judgeKeys(k, keys, i.report)
	if _, err := os.Lstat(file + ".new"); err == nil {
		k.doubtful("if nobody rotates the keys at this moment, delete "+file+".new", "a change of the key file was interrupted")
	}
}

// judgeNoKeys tells a server that has not started yet from one that lost its
// keys.
func (e *examination) judgeNoKeys(ctx context.Context, k *check, file string) {
	i := e.inspect(ctx)
	switch {
	case i.err == nil && i.report.Key != "":
		k.wrong("put the key file that the database was made with there, from its copy or from another server, readable by the server's user alone",
			"there is no key file, and the database was sealed with key %s", i.report.Key)
		return
	case e.Keys != "" && !isFolder(filepath.Dir(file)):
		k.wrong("make the folder, or name another file with --keys", "there is no folder %s for the key file", filepath.Dir(file))
		return
	}
	if err := store.Writable(filepath.Dir(file)); err != nil {
		k.wrong("let the server's user write to the folder, or name another file with --keys", "the key file cannot be made: %v", err)
		return
	}
	k.doubtful("if other servers work on this database, copy their key file here before the first start; else the first start makes it",
		"there is no key file yet")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// judgeKeys compares the keys of the file with what the database was sealed
// with.
func (e *examination) judgeKeys(k *check, keys *seal.Keyring, r store.Report) {
	if r.Keys != nil {
		k.wrong("put the key file that the database was made with in its place, or name it with --keys",
			"the database was sealed with key %s, and the file holds %s", r.Key, strings.Join(keys.IDs(), ", "))
		return
	}
	if r.Key == "" {
		k.fine("%s; the database is sealed with none yet", amount(len(keys.IDs()), "key"))
		return
	}
	k.fine("%s; %s is in force", amount(len(keys.IDs()), "key"), r.Key)
	lost, older := 0, 0
	for _, s := range r.Seals {
		switch {
		case !slices.Contains(keys.IDs(), s.Key):
			lost += s.Count
		case s.Key != r.Key:
			older += s.Count
		}
	}
	if lost > 0 {
		k.wrong("put the older keys back into the file, from a copy of it; gatehouse keys show lists what they seal",
			"%s sealed with keys that the file does not hold", amount(lost, "secret is", "secrets are"))
	}
	if keys.IDs()[0] != r.Key || older > 0 {
		k.doubtful("run gatehouse keys rotate, which goes on where it was", "a rotation of the keys has begun and is not finished")
	}
	for _, n := range r.Nodes {
		if !slices.Contains(n.Keys, keys.IDs()[0]) {
			k.doubtful("copy the key file to it and restart it", "the server on %s runs without key %s", n.Host, keys.IDs()[0])
		}
	}
}

// database judges where everything is kept.
func (e *examination) database(ctx context.Context, k *check) {
	i := e.inspect(ctx)
	r := i.report
	k.LookedAt = strings.TrimSpace(r.Kind+" "+r.Version) + ", " + r.Where
	if r.Where == "" {
		k.LookedAt = "--database-url"
	}
	if i.err != nil {
		k.wrong(mendDatabase(i.err), "%s", oneLine(i.err))
		return
	}
	e.judgeSchema(k, r)
	e.judgeReach(k, r)
	if e.DatabaseURL != "" {
		e.clocks = append(e.clocks, clock{"the database", r.Skew, r.RoundTrip / 2})
	}
	for _, n := range r.Nodes {
		// A server notes its own clock now and then: only what is ahead of ours
		// says something.
		if ahead := time.Until(n.SeenAt); ahead > 0 {
			e.clocks = append(e.clocks, clock{"the server on " + n.Host, ahead, time.Second})
		}
	}
}

// judgeReach judges who can write to the database, who can read it, and how far
// away it is.
func (e *examination) judgeReach(k *check, r store.Report) {
	if r.Unwritable != nil {
		mend := "let the server's user write to the folder and to what is in it: chown -R"
		if e.DatabaseURL != "" {
			mend = "name the primary with --database-url, and let its user make tables: GRANT CREATE ON SCHEMA … TO …"
		}
		k.wrong(mend, "it cannot be written to: %v", r.Unwritable)
	}
	if r.Readable {
		k.doubtful("run chmod 600 "+r.Where, "others than its owner can read the file")
	}
	if r.Exposed {
		k.doubtful("add sslmode=verify-full to --database-url", "what is asked and answered crosses a public network in the clear")
	}
	if e.DatabaseURL != "" && r.RoundTrip > 50*time.Millisecond {
		k.doubtful("bring server and database nearer to each other: a request asks several times", "it answers in %s", r.RoundTrip.Round(time.Millisecond))
	}
}

// mendDatabase says what helps where a database cannot be looked at.
func mendDatabase(err error) string {
	switch {
	case errors.Is(err, store.ErrNotLetIn):
		return "mend user and password in --database-url (GATEHOUSE_DATABASE_URL), or in PostgreSQL (pg_hba.conf)"
	case errors.Is(err, store.ErrNoDatabase):
		return "make it with createdb, or mend its name in --database-url"
	case errors.Is(err, store.ErrAway):
		return "is PostgreSQL running, does it listen there, and do --database-url and the firewalls say so?"
	case errors.Is(err, fs.ErrPermission):
		return asServer
	case errors.Is(err, store.ErrUnreadable):
		return "name another folder or database, or restore a backup (docs/operations.md)"
	}
	return "mend --database-url (GATEHOUSE_DATABASE_URL)"
}

// judgeSchema compares the schema with the one that this program knows.
func (e *examination) judgeSchema(k *check, r store.Report) {
	demonstration := slices.Contains(r.Marks, demoMark)
	switch {
	case r.Strange:
		k.doubtful("give Gatehouse a database or a schema of its own", "it holds tables, and none of Gatehouse's: the first start would make its own beside them")
	case r.Schema == 0:
		k.doubtful("if there should be one, mend --data or --database-url; else the first start makes it", "no server has started here yet: there is no data")
	case r.Schema > r.Newest:
		k.wrong("start the newer Gatehouse that it was last used with", "it has schema version %d, and this program knows %d", r.Schema, r.Newest)
	case r.Schema < r.Newest:
		k.doubtful("make a backup; the next start brings it up to date, and older programs cannot start with it then", "it has schema version %d, and this program needs %d", r.Schema, r.Newest)
	default:
		k.fine("schema version %d, which this program needs; %s", r.Schema, amount(len(r.Nodes), "server runs", "servers run"))
	}
	if demonstration && !e.Dev {
		k.wrong("name another --data, or start it with --dev", "--dev made this database, with an operator whose password everybody knows")
	}
	if e.Dev && r.Schema > 0 && !demonstration {
		k.wrong("name another --data, or leave --dev out", "--dev did not make this database, and does not start on it")
	}
}

// redis judges what nodes share limits through.
func (e *examination) redis(ctx context.Context, k *check) {
	k.LookedAt = "--redis-url"
	if e.RedisURL == "" {
		if n := len(e.looking.report.Nodes); n > 1 {
			k.doubtful("give every server the same --redis-url; a server that was killed counts for a minute", "%d servers run, and each counts attempts by itself", n)
			return
		}
		k.unset("", "one server needs none; several share limits through it")
		return
	}
	h, err := redis.Probe(ctx, e.RedisURL)
	if h.Where != "" {
		k.LookedAt = strings.TrimSpace("Redis "+h.Version) + ", " + h.Where
	}
	switch {
	case errors.Is(err, redis.ErrNotLetIn):
		k.wrong("mend user and password in --redis-url (GATEHOUSE_REDIS_URL), or in Redis", "%s", oneLine(err))
		return
	case errors.Is(err, redis.ErrAway):
		k.wrong("is Redis running, does it listen there, and do --redis-url and the firewalls say so? Until then each server counts attempts by itself", "%s", oneLine(err))
		return
	case err != nil:
		k.wrong("mend --redis-url (GATEHOUSE_REDIS_URL)", "%s", oneLine(err))
		return
	}
	judgeRedis(k, h)
}

// judgeRedis judges a Redis that is there.
func judgeRedis(k *check, h redis.Health) {
	k.fine("it answers in %s", h.Latency.Round(10*time.Microsecond))
	if h.Replica {
		k.wrong("name the primary with --redis-url", "it is a replica, which only reads")
	}
	if len(h.Forbids) > 0 {
		k.wrong("give its user the rights that docs/operations.md lists", "its user may not use %s on gatehouse:*", strings.Join(h.Forbids, ", "))
	}
	if h.Late {
		k.doubtful("bring it nearer: a request waits for 100 ms, and takes a Redis that is later for one that is away", "it answers late")
	}
	if h.Exposed {
		k.doubtful("use TLS: rediss://…", "what is asked and answered crosses a public network in the clear, the password too")
	}
}

// amount writes a number of things: of one, or of several.
func amount(n int, words ...string) string {
	if n == 1 {
		return "1 " + words[0]
	}
	if len(words) == 1 {
		return fmt.Sprintf("%d %ss", n, words[0])
	}
	return fmt.Sprintf("%d %s", n, words[1])
}
