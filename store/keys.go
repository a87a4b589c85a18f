package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/login"
	"gatehouse/sso"
)

// What the key check seals, and for which purpose. The key that it was sealed
// with is the one in force: with it every node seals what is new.
const (
	keyCheckPurpose = "key check"
	keyCheckText    = "gatehouse"
)

// checkKeys opens a value that the first start sealed, or seals it. Two nodes
// that start together on an empty database keep one value, and both read it.
func (s *Store) checkKeys(ctx context.Context) error {
	_, err := s.exec(ctx, `INSERT INTO key_check (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`,
		s.keys.Seal(keyCheckPurpose, []byte(keyCheckText)))
	if err != nil {
		return fmt.Errorf("write key check: %w", err)
	}
	return s.FollowKeys(ctx)
}

// FollowKeys puts in force, in this process, the key that the database says. It
// returns ErrOtherKeys if the key is not in the ring: somebody rotated the keys
// without this node, which can read nothing that was sealed since.
func (s *Store) FollowKeys(ctx context.Context) error {
	sealed, err := one(ctx, s, func(r row) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT sealed FROM key_check WHERE id = 1`)
	if err != nil {
		return fmt.Errorf("read key check: %w", err)
	}
	if plain, err := s.keys.Open(keyCheckPurpose, sealed); err != nil || string(plain) != keyCheckText {
		return ErrOtherKeys
	}
	return s.keys.Use(seal.SealedBy(sealed))
}

// A sealedColumn is where sealed values stand.
type sealedColumn struct {
	what    string // in the plural, for people
	table   string // its column id names a row
	column  string // empty values are none
	purpose func(id string) string
}

// sealedColumns are all that there are, beside the key check. A test holds that
// no column of bytes is forgotten. The keys of identity providers stand in the
// order in which a rollover moves them: what it moves while Reseal runs is
// sealed anew before or after.
var sealedColumns = []sealedColumn{
	{"private keys of identity providers", "idp", "next_sp_key", sso.KeyPurpose},
	{"private keys of identity providers", "idp", "sp_key", sso.KeyPurpose},
	{"private keys of identity providers", "idp", "previous_sp_key", sso.KeyPurpose},
	{"mails that wait", "mail", "body", mail.Purpose},
	{"traces of logins", "login_trace_body", "story", login.TracePurpose},
	{"traces of logins", "login_trace_body", "response", login.TracePurpose},
	{"tests of settings", "login_test", "draft", login.TestPurpose},
}

// A Seal counts what is sealed with a key.
type Seal struct {
	Key   string // its id
	What  string // in the plural, for people
	Count int
}

// Seals counts what is sealed, by key and by what it is.
func (s *Store) Seals(ctx context.Context) ([]Seal, error) {
	var out []Seal
	for _, c := range sealedColumns {
		seals, err := all(ctx, s, func(r row) (Seal, error) {
			var id []byte
			found := Seal{What: c.what}
			err := r.Scan(&id, &found.Count)
			found.Key = hex.EncodeToString(id)
			return found, err
		}, fmt.Sprintf(`SELECT substr(%[1]s, 1, 4), count(*) FROM %[2]s WHERE length(%[1]s) > 0 GROUP BY 1 ORDER BY 1`, c.column, c.table))
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", c.what, err)
		}
		out = append(out, seals...)
	}
	return out, nil
}

// PutInForce makes the newest key of a ring the one that every node seals with.
// The ring has to open what is there: else it returns ErrOtherKeys. Nodes that
// do not have the key can read nothing that is sealed from now on.
func (s *Store) PutInForce(ctx context.Context, ring *seal.Keyring) error {
	if err := ring.Use(ring.IDs()[0]); err != nil {
		return err
	}
	return s.Tx(ctx, func(ctx context.Context) error {
		sealed, err := one(ctx, s, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT sealed FROM key_check WHERE id = 1`)
		if err != nil {
			return fmt.Errorf("read key check: %w", err)
		}
		if _, err := ring.Open(keyCheckPurpose, sealed); err != nil {
			return ErrOtherKeys
		}
		_, err = s.exec(ctx, `UPDATE key_check SET sealed = $1 WHERE id = 1`, ring.Seal(keyCheckPurpose, []byte(keyCheckText)))
		return err
	})
}

// atOnce is how many values one transaction seals anew.
const atOnce = 100

// Reseal seals anew, with the key in force in a ring, whatever was sealed with
// another, and gives how much that was. It works in small transactions: one
// that is interrupted is taken up by the next. A value that no key of the ring
// opens stays as it is, and makes an error of the whole, after the others.
func (s *Store) Reseal(ctx context.Context, ring *seal.Keyring) (int, error) {
	total := 0
	var lost []string
	for _, c := range sealedColumns {
		last := ""
		for {
			var b batch
			err := s.Tx(ctx, func(ctx context.Context) (err error) {
				b, err = s.resealSome(ctx, ring, c, last)
				return err
			})
			if err != nil {
				return total, fmt.Errorf("seal %s anew: %w", c.what, err)
			}
			last, total, lost = b.last, total+b.done, append(lost, b.lost...)
			if b.seen < atOnce {
				break
			}
		}
	}
	if len(lost) > 0 {
		return total, fmt.Errorf("no key of the file opens these, which stay as they are: %s", strings.Join(lost, ", "))
	}
	return total, nil
}

// A batch is what one transaction sealed anew.
type batch struct {
	seen, done int
	last       string   // id of the last row
	lost       []string // values that no key opens
}

// resealSome looks at the rows after last. Whoever changes a value meanwhile
// has sealed it themselves.
func (s *Store) resealSome(ctx context.Context, ring *seal.Keyring, c sealedColumn, last string) (batch, error) {
	type value struct {
		id     string
		sealed []byte
	}
	inForce, err := hex.DecodeString(ring.InForce())
	if err != nil {
		return batch{}, err
	}
	rows, err := all(ctx, s, func(r row) (v value, err error) { return v, r.Scan(&v.id, &v.sealed) }, fmt.Sprintf(`
		SELECT id, %[1]s FROM %[2]s
		WHERE id > $1 AND length(%[1]s) > 0 AND substr(%[1]s, 1, 4) <> $2
		ORDER BY id LIMIT $3`, c.column, c.table), last, inForce, atOnce)
	if err != nil {
		return batch{}, err
	}
	b := batch{seen: len(rows), last: last}
	for _, v := range rows {
		b.last = v.id
		plain, err := ring.Open(c.purpose(v.id), v.sealed)
		if err != nil {
			b.lost = append(b.lost, c.table+" "+v.id)
			continue
		}
		n, err := s.exec(ctx, fmt.Sprintf(`UPDATE %[2]s SET %[1]s = $2 WHERE id = $1 AND %[1]s = $3`, c.column, c.table),
			v.id, ring.Seal(c.purpose(v.id), plain), v.sealed)
		if err != nil {
			return batch{}, err
		}
		b.done += int(n)
	}
	return b, nil
}

// A Node is a server that runs on this database.
type Node struct {
	ID     string
	Host   string    // what its machine is called
	Keys   []string  // ids of the keys that it has, the one that it seals with first
	SeenAt time.Time // when it last said so, by its own clock
}

// forgetNodes is after how long a node that says nothing is forgotten.
const forgetNodes = time.Hour

// SeeNode notes that this server runs, and with which keys.
func (s *Store) SeeNode(ctx context.Context, id, host string, now time.Time) error {
	keys := s.keys.IDs()
	inForce := s.keys.InForce()
	keys = append([]string{inForce}, slices.DeleteFunc(keys, func(k string) bool { return k == inForce })...)
	_, err := s.exec(ctx, `
		INSERT INTO node (id, host, keys, seen_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET keys = excluded.keys, seen_at = excluded.seen_at`,
		id, host, strings.Join(keys, " "), stamp(now))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `DELETE FROM node WHERE seen_at < $1`, stamp(now.Add(-forgetNodes)))
	return err
}

// ForgetNode notes that a server has stopped.
func (s *Store) ForgetNode(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `DELETE FROM node WHERE id = $1`, id)
	return err
}

// Nodes gives the servers that were seen after a moment.
func (s *Store) Nodes(ctx context.Context, since time.Time) ([]Node, error) {
	return all(ctx, s, func(r row) (n Node, err error) {
		var keys string
		err = r.Scan(&n.ID, &n.Host, &keys, moment{&n.SeenAt})
		n.Keys = strings.Fields(keys)
		return n, err
	}, `SELECT id, host, keys, seen_at FROM node WHERE seen_at > $1 ORDER BY host, id`, stamp(since))
}
