// Package seal keeps secrets unreadable at rest, with keys that live outside
// the database and can be rotated.
//
// A keyring is a file of lines "<id> <base64 of 32 bytes>", the newest first.
// What is sealed names the key it was sealed with, so older keys still open
// what they sealed. One key is in force and seals: the newest, unless the
// database says that not every node has that one yet ([Keyring.Use]). Each sealed value is bound to a purpose (its place: table,
// column, row), so that one cannot be put in another's place.
package seal

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
)

// ErrKey says that no key of the ring opens a value: it was sealed with other
// keys, for another purpose, or was changed.
var ErrKey = errors.New("sealed with other keys, for another purpose, or changed")

// A Keyring seals with the key in force and opens with any. It is safe for use
// by many goroutines at once.
type Keyring struct {
	keys    []key
	inForce atomic.Int32 // index; the first unless Use said another
}

type key struct {
	id     [4]byte
	secret [32]byte
	aead   cipher.AEAD
}

// New makes a ring of one random key.
func New() *Keyring {
	var secret [32]byte
	rand.Read(secret[:])
	r := &Keyring{}
	if err := r.add(newID(), secret); err != nil {
		panic(err) // a 32-byte key is always a valid AES-256 key
	}
	return r
}

func newID() (id [4]byte) {
	rand.Read(id[:])
	return id
}

func (r *Keyring) add(id [4]byte, secret [32]byte) error {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return err
	}
	r.keys = append(r.keys, key{id, secret, aead})
	return nil
}

// Load reads a keyring from a file, which nobody but its owner may read.
func Load(path string) (*Keyring, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	r := &Keyring{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		idText, secretText, _ := strings.Cut(line, " ")
		id, err := hex.DecodeString(idText)
		secret, err2 := base64.StdEncoding.DecodeString(strings.TrimSpace(secretText))
		if err != nil || err2 != nil || len(id) != 4 || len(secret) != 32 {
			return nil, fmt.Errorf("key file %s, line %d is not \"<8 hex digits> <base64 of 32 bytes>\"", path, n)
		}
		if err := r.add([4]byte(id), [32]byte(secret)); err != nil {
			return nil, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	if len(r.keys) == 0 {
		return nil, fmt.Errorf("key file %s holds no key", path)
	}
	return r, nil
}

// readPrivate reads a file that its owner alone can read: others who can have
// every secret that is sealed. Windows knows no such modes.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others than its owner can read or change it (mode %04o): run chmod 600 %s", info.Mode().Perm(), path)
	}
	return io.ReadAll(f)
}

// Save writes the ring to a new file that only its owner can read. It fails
// with os.ErrExist where the file exists.
func (r *Keyring) Save(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.write(f); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// write writes the ring durably. A full disk must be an error here: keys that
// are half written lose what is sealed with them.
func (r *Keyring) write(f *os.File) error {
	var text bytes.Buffer
	fmt.Fprintln(&text, "# Keys of Gatehouse, newest first. Without this file the database cannot be read.")
	for _, k := range r.keys {
		fmt.Fprintf(&text, "%x %s\n", k.id, base64.StdEncoding.EncodeToString(k.secret[:]))
	}
	if _, err := f.Write(text.Bytes()); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes a new file's name durable: losing the keys of a database that
// survives would lose the database.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Seal encrypts plain with the key in force (AES-256-GCM). The result holds the
// key's id, the nonce and the ciphertext, bound to purpose.
func (r *Keyring) Seal(purpose string, plain []byte) []byte {
	k := r.keys[r.inForce.Load()]
	out := make([]byte, 0, 4+12+len(plain)+16)
	out = append(out, k.id[:]...)
	var nonce [12]byte
	rand.Read(nonce[:])
	out = append(out, nonce[:]...)
	return k.aead.Seal(out, nonce[:], plain, []byte(purpose))
}

// Open decrypts what Seal made for the same purpose, or returns ErrKey.
func (r *Keyring) Open(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < 4+12+16 {
		return nil, ErrKey
	}
	for _, k := range r.keys {
		if !bytes.Equal(k.id[:], sealed[:4]) {
			continue
		}
		plain, err := k.aead.Open(nil, sealed[4:16], sealed[16:], []byte(purpose))
		if err == nil {
			return plain, nil
		}
	}
	return nil, ErrKey
}

// MAC authenticates data for a purpose with the key in force (HMAC-SHA-256 with
// a key derived for the purpose).
func (r *Keyring) MAC(purpose string, data []byte) []byte {
	return r.keys[r.inForce.Load()].mac(purpose, data)
}

// CheckMAC reports whether any key of the ring made the first len(mac) bytes
// of this MAC. Fewer than 16 bytes are never enough.
func (r *Keyring) CheckMAC(purpose string, data, mac []byte) bool {
	if len(mac) < 16 || len(mac) > sha256.Size {
		return false
	}
	ok := false
	for _, k := range r.keys {
		if hmac.Equal(k.mac(purpose, data)[:len(mac)], mac) {
			ok = true
		}
	}
	return ok
}

func (k key) mac(purpose string, data []byte) []byte {
	derive := hmac.New(sha256.New, k.secret[:])
	derive.Write([]byte("mac " + purpose))
	m := hmac.New(sha256.New, derive.Sum(nil))
	m.Write(data)
	return m.Sum(nil)
}
