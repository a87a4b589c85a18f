package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// keysCommand changes the keys that secrets are sealed with, beside servers
// that run.
type keysCommand struct {
	Show   keysShowCommand   `cmd:"" help:"List the keys by their ids, what each of them seals, and which servers have them."`
	Rotate keysRotateCommand `cmd:"" help:"Make a new key, and seal every secret with it."`
	Prune  keysPruneCommand  `cmd:"" help:"Drop older keys that seal nothing any more."`
}

// Servers that run say so every beat; one that has not for alive is taken to
// have stopped.
const (
	beat  = 10 * time.Second
	alive = time.Minute
)

// A keyState is what the commands ask before they do anything.
type keyState struct {
	ring  *seal.Keyring
	seals []store.Seal
	nodes []store.Node
}

func stateOf(ctx context.Context, db *store.Store, ring *seal.Keyring) (s keyState, err error) {
	s.ring = ring
	if s.seals, err = db.Seals(ctx); err != nil {
		return s, err
	}
	s.nodes, err = db.Nodes(ctx, time.Now().Add(-alive))
	return s, err
}

// withState lets a command work on the keys of a server.
func (c *storageFlags) withState(ctx context.Context, do func(db *store.Store, s keyState) error) error {
	return c.with(ctx, func(db *store.Store, ring *seal.Keyring) error {
		s, err := stateOf(ctx, db, ring)
		if err != nil {
			return err
		}
		return do(db, s)
	})
}

// newest is the first key of the file.
func (s keyState) newest() string { return s.ring.IDs()[0] }

// leftOver counts what other keys than the newest seal.
func (s keyState) leftOver() int {
	n := 0
	for _, x := range s.seals {
		if x.Key != s.newest() {
			n += x.Count
		}
	}
	return n
}

// hosts names the servers of which something holds, with a blank before each.
func (s keyState) hosts(holds func(store.Node) bool) string {
	var names []string
	for _, n := range s.nodes {
		if holds(n) {
			names = append(names, n.Host+" ("+n.ID+")")
		}
	}
	return strings.Join(names, ", ")
}

type keysShowCommand struct {
	JSON bool `name:"json" help:"Print the result as JSON."`

	storageFlags
}

// A shownKey is a key as it is printed. Its secret is not.
type shownKey struct {
	ID      string         `json:"id"`
	InForce bool           `json:"in_force"`
	Seals   map[string]int `json:"seals"`   // by what it is, in the plural
	Missing []string       `json:"missing"` // servers that run without it
}

// Run prints the keys.
func (c *keysShowCommand) Run(ctx context.Context, stdout io.Writer) error {
	return c.withState(ctx, func(_ *store.Store, s keyState) error { return c.print(s, stdout) })
}

func (c *keysShowCommand) print(s keyState, stdout io.Writer) error {
	shown := s.shown()
	if c.JSON {
		return json.NewEncoder(stdout).Encode(map[string]any{"keys": shown, "servers": len(s.nodes)})
	}
	for _, k := range shown {
		fmt.Fprintln(stdout, k)
	}
	_, err := fmt.Fprintf(stdout, "Servers that run: %d\n", len(s.nodes))
	return err
}

func (s keyState) shown() []shownKey {
	var out []shownKey
	ids := s.ring.IDs()
	// A key that seals something and is in no file is worth a line too.
	for _, x := range s.seals {
		if !slices.Contains(ids, x.Key) {
			ids = append(ids, x.Key)
		}
	}
	for _, id := range ids {
		k := shownKey{ID: id, InForce: id == s.ring.InForce(), Seals: map[string]int{}, Missing: []string{}}
		for _, x := range s.seals {
			if x.Key == id {
				k.Seals[x.What] += x.Count
			}
		}
		for _, n := range s.nodes {
			if !slices.Contains(n.Keys, id) {
				k.Missing = append(k.Missing, n.Host)
			}
		}
		out = append(out, k)
	}
	return out
}

// String is a key's line.
func (k shownKey) String() string {
	line := k.ID
	if k.InForce {
		line += ", in force"
	}
	var seals []string
	for what, n := range k.Seals {
		seals = append(seals, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(seals)
	if len(seals) == 0 {
		seals = []string{"nothing"}
	}
	line += ": seals " + strings.Join(seals, ", ")
	if len(k.Missing) > 0 {
		line += "; not on " + strings.Join(k.Missing, ", ")
	}
	return line
}

type keysRotateCommand struct {
	storageFlags
}

// Help is shown above the flags.
func (keysRotateCommand) Help() string {
	return "It adds a key to the file. Servers that run do not have it yet: copy the file to each, restart them one after the other, and run this again. Only once every server has the key it is put in force, and every secret sealed with it. Interrupted, it goes on where it was."
}

// Run goes one step, or the whole way where every server has the key.
func (c *keysRotateCommand) Run(ctx context.Context, stdout io.Writer) error {
	return c.withState(ctx, func(db *store.Store, s keyState) error { return c.rotate(ctx, db, s, stdout) })
}

// rotate takes the rotation as far as it can go.
func (c *keysRotateCommand) rotate(ctx context.Context, db *store.Store, s keyState, stdout io.Writer) error {
	ring := s.ring
	if s.newest() == ring.InForce() && s.leftOver() == 0 {
		s.ring = ring.WithNew()
		if err := s.ring.Replace(c.keyFile()); err != nil {
			return fmt.Errorf("the key file cannot be changed: %w", err)
		}
		fmt.Fprintf(stdout, "Added key %s to %s. Keep a copy of the file.\n", s.newest(), c.keyFile())
	}
	lacking := s.hosts(func(n store.Node) bool { return !slices.Contains(n.Keys, s.newest()) })
	if lacking != "" {
		return fmt.Errorf("key %s is in %s, and these servers run without it: %s. Copy the file to each, restart them one after the other, then run gatehouse keys rotate again", s.newest(), c.keyFile(), lacking)
	}
	if s.newest() != ring.InForce() {
		if err := putInForce(ctx, db, s.ring, ring.InForce()); err != nil {
			return err
		}
	}
	n, err := db.Reseal(ctx, s.ring)
	if err != nil {
		return fmt.Errorf("%d secrets were sealed with key %s, and not all: %w", n, s.newest(), err)
	}
	_, err = fmt.Fprintf(stdout, "Key %s is in force; %d secrets were sealed anew. Servers that run follow within %s.\nIn ten minutes, when logins under way have ended, gatehouse keys prune drops what is older.\n", s.newest(), n, beat)
	return err
}

// putInForce lets every server seal with the newest key, and says so in the
// audit log.
func putInForce(ctx context.Context, db *store.Store, ring *seal.Keyring, before string) error {
	return db.Tx(ctx, func(ctx context.Context) error {
		if err := db.PutInForce(ctx, ring); err != nil {
			return err
		}
		return auditLog(db).Record(ctx, audit.Event{
			Actor: audit.Operator(), Action: audit.KeysRotate, Target: audit.Target{Kind: "key", ID: ring.IDs()[0]},
			Details: audit.Details{"key_in_force" + audit.Before: before, "key_in_force" + audit.After: ring.IDs()[0]},
		})
	})
}

type keysPruneCommand struct {
	storageFlags
}

// Help is shown above the flags.
func (keysPruneCommand) Help() string {
	return "Backups that were made before need the keys that this drops: keep the old file with them."
}

// Run drops the older keys, if nothing needs them.
func (c *keysPruneCommand) Run(ctx context.Context, stdout io.Writer) error {
	return c.withState(ctx, func(db *store.Store, s keyState) error { return c.prune(ctx, db, s, stdout) })
}

func (c *keysPruneCommand) prune(ctx context.Context, db *store.Store, s keyState, stdout io.Writer) error {
	ring := s.ring
	if len(ring.IDs()) == 1 {
		_, err := fmt.Fprintf(stdout, "There is one key, %s, and nothing to drop.\n", s.newest())
		return err
	}
	if err := s.prunable(); err != nil {
		return err
	}
	dropped := strings.Join(ring.IDs()[1:], ", ")
	err := db.Tx(ctx, func(ctx context.Context) error {
		err := auditLog(db).Record(ctx, audit.Event{
			Actor: audit.Operator(), Action: audit.KeysPrune, Target: audit.Target{Kind: "key", ID: s.newest()},
			Details: audit.Details{"dropped": dropped},
		})
		if err != nil {
			return err
		}
		return ring.Newest().Replace(c.keyFile())
	})
	if err != nil {
		return fmt.Errorf("the key file cannot be changed: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "Dropped %s from %s. Copy the file to every server; they need not be restarted.\n", dropped, c.keyFile())
	return err
}

// prunable says what still needs an older key, if anything does.
func (s keyState) prunable() error {
	if s.newest() != s.ring.InForce() {
		return fmt.Errorf("key %s is not in force yet: run gatehouse keys rotate first", s.newest())
	}
	if n := s.leftOver(); n > 0 {
		return fmt.Errorf("%d secrets are sealed with older keys: run gatehouse keys rotate first", n)
	}
	if behind := s.hosts(func(n store.Node) bool { return n.Keys[0] != s.newest() }); behind != "" {
		return fmt.Errorf("these servers seal with an older key still: %s; they follow within %s, or have to be restarted", behind, beat)
	}
	return nil
}
