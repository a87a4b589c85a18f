package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// IDs lists the keys by their ids, the newest first.
func (r *Keyring) IDs() []string {
	ids := make([]string, len(r.keys))
	for i, k := range r.keys {
		ids[i] = hex.EncodeToString(k.id[:])
	}
	return ids
}

// InForce is the id of the key that seals.
func (r *Keyring) InForce() string { return r.IDs()[r.inForce.Load()] }

// Use puts a key of the ring in force. It returns ErrKey if there is no such
// key, and changes nothing then.
func (r *Keyring) Use(id string) error {
	i := slices.Index(r.IDs(), id)
	if i < 0 {
		return ErrKey
	}
	r.inForce.Store(int32(i))
	return nil
}

// SealedBy is the id of the key that a value was sealed with; empty if it is
// too short to be one.
func SealedBy(sealed []byte) string {
	if len(sealed) < 4+12+16 {
		return ""
	}
	return hex.EncodeToString(sealed[:4])
}

// WithNew gives a ring that begins with a new random key. It is for a file: the
// ring that it was made from stays as it is.
func (r *Keyring) WithNew() *Keyring {
	fresh := New()
	fresh.keys = append(fresh.keys, r.keys...)
	return fresh
}

// Newest gives a ring of the newest key alone.
func (r *Keyring) Newest() *Keyring { return &Keyring{keys: r.keys[:1]} }

// Replace puts the ring in the place of the key file at path, at once: whoever
// reads it finds the old keys or the new ones. The file keeps its owner, and
// nobody else can read it. Two at once do not lose each other's keys: the
// second fails.
func (r *Keyring) Replace(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	fresh := path + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there: somebody else is changing the keys, or was interrupted; if nobody is, delete it", fresh)
	}
	if err != nil {
		return err
	}
	err = r.write(f)
	if err == nil {
		err = keepOwner(path, f)
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return syncDir(filepath.Dir(path))
}
