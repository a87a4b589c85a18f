package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/redis"
)

// What reports say is judged here without the databases that would say it.
func TestDoctorJudgesReports(t *testing.T) {
	keys := seal.New()
	id := keys.IDs()[0]
	schema := func(e *examination, r store.Report) func(context.Context, *check) {
		return func(_ context.Context, k *check) { e.judgeSchema(k, r) }
	}
	reach := func(e *examination, r store.Report) func(context.Context, *check) {
		return func(_ context.Context, k *check) { e.judgeReach(k, r) }
	}
	sealed := func(r store.Report) func(context.Context, *check) {
		r.Key = id
		return func(_ context.Context, k *check) { patient(t, nil).judgeKeys(k, keys, r) }
	}
	away := func(h redis.Health) func(context.Context, *check) {
		return func(_ context.Context, k *check) { judgeRedis(k, h) }
	}
	here, dev := patient(t, nil), patient(t, func(c *serveCommand) { c.Dev = true })
	server := patient(t, func(c *serveCommand) { c.DatabaseURL = "postgres://db/x" })
	made := []string{demoMark}
	for name, c := range map[string]struct {
		judge func(context.Context, *check)
		want  state
		words string
	}{
		"a schema that fits":         {schema(here, store.Report{Schema: 5, Newest: 5}), fine, "schema version 5"},
		"an older schema":            {schema(here, store.Report{Schema: 4, Newest: 5}), doubtful, "make a backup"},
		"a newer schema":             {schema(here, store.Report{Schema: 6, Newest: 5}), wrong, "start the newer Gatehouse"},
		"others' tables":             {schema(here, store.Report{Strange: true, Newest: 5}), doubtful, "a database or a schema of its own"},
		"a demonstration for real":   {schema(here, store.Report{Schema: 5, Newest: 5, Marks: made}), wrong, "everybody knows"},
		"a demonstration for --dev":  {schema(dev, store.Report{Schema: 5, Newest: 5, Marks: made}), fine, ""},
		"a real one for --dev":       {schema(dev, store.Report{Schema: 5, Newest: 5}), wrong, "leave --dev out"},
		"a fresh one for --dev":      {schema(dev, store.Report{Newest: 5}), doubtful, "no data"},
		"a folder that only reads":   {reach(here, store.Report{Unwritable: errors.New("no")}), wrong, "chown"},
		"a server that only reads":   {reach(server, store.Report{Unwritable: errors.New("no")}), wrong, "name the primary"},
		"a server that is far away":  {reach(server, store.Report{RoundTrip: 80 * time.Millisecond}), doubtful, "80ms"},
		"a server that is near":      {reach(server, store.Report{RoundTrip: 8 * time.Millisecond}), fine, ""},
		"a server in the clear":      {reach(server, store.Report{Exposed: true}), doubtful, "sslmode=verify-full"},
		"secrets that can be opened": {sealed(store.Report{Seals: []store.Seal{{Key: id, Count: 3}}}), fine, "in force"},
		"secrets that cannot be":     {sealed(store.Report{Seals: []store.Seal{{Key: "0a0b0c0d", Count: 3}}}), wrong, "3 secrets are sealed with keys that the file does not hold"},
		"one secret that cannot be":  {sealed(store.Report{Seals: []store.Seal{{Key: "0a0b0c0d", Count: 1}}}), wrong, "1 secret is"},
		"a server without the key":   {sealed(store.Report{Nodes: []store.Node{{Host: "two", Keys: []string{"0a0b0c0d"}}}}), doubtful, "the server on two runs without key"},
		"a server with it":           {sealed(store.Report{Nodes: []store.Node{{Host: "two", Keys: []string{id}}}}), fine, ""},
		"a Redis":                    {away(redis.Health{}), fine, "answers in"},
		"a replica":                  {away(redis.Health{Replica: true}), wrong, "which only reads"},
		"a late Redis":               {away(redis.Health{Late: true}), doubtful, "100 ms"},
		"a Redis in the clear":       {away(redis.Health{Exposed: true}), doubtful, "rediss://"},
		"a Redis that forbids":       {away(redis.Health{Forbids: []string{"SET", "DEL"}}), wrong, "may not use SET, DEL on"},
	} {
		t.Run(name, func(t *testing.T) {
			k := look(t, c.judge)
			k.LookedAt = "a report"
			wantFinding(t, k, c.want, c.words)
		})
	}
}

func TestDoctorMendsEachErrorOfADatabaseInItsPlace(t *testing.T) {
	for err, want := range map[error]string{
		store.ErrAway:       "is PostgreSQL running, does it listen there, and do --database-url and the firewalls say so?",
		store.ErrNotLetIn:   "mend user and password in --database-url (GATEHOUSE_DATABASE_URL), or in PostgreSQL (pg_hba.conf)",
		store.ErrNoDatabase: "make it with createdb, or mend its name in --database-url",
		store.ErrUnreadable: "name another folder or database, or restore a backup (docs/operations.md)",
		errors.New("x"):     "mend --database-url (GATEHOUSE_DATABASE_URL)",
	} {
		if got := mendDatabase(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}
