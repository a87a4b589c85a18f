package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	oldKey = "0a0b0c0d AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	newKey = "01020304 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
)

// ring loads a keyring of these lines.
func ring(t *testing.T, lines ...string) *Keyring {
	t.Helper()
	r, err := load(t, strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func load(t *testing.T, text string) (*Keyring, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestWhatIsSealedOpens(t *testing.T) {
	r := New()
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("secret"), 10_000)} {
		sealed := r.Seal("place", plain)
		if len(plain) > 1 && bytes.Contains(sealed, plain) {
			t.Error("the sealed value shows the plain one")
		}
		got, err := r.Open("place", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("got %d bytes and %v, want the %d that were sealed", len(got), err, len(plain))
		}
	}
	if bytes.Equal(r.Seal("place", []byte("x")), r.Seal("place", []byte("x"))) {
		t.Error("got the same twice, want a nonce")
	}
}

func TestRotation(t *testing.T) {
	before, after, without := ring(t, oldKey), ring(t, "# newest first", "", newKey, oldKey), ring(t, newKey)
	old := before.Seal("place", []byte("secret"))
	if got, err := after.Open("place", old); err != nil || string(got) != "secret" {
		t.Errorf("got %q and %v with the old key second, want it opened", got, err)
	}
	if _, err := without.Open("place", old); !errors.Is(err, ErrKey) {
		t.Errorf("got %v without the old key, want ErrKey", err)
	}
	young := after.Seal("place", []byte("secret"))
	if got, err := without.Open("place", young); err != nil || string(got) != "secret" {
		t.Errorf("got %q and %v, want the newest key to have sealed", got, err)
	}
	if _, err := before.Open("place", young); !errors.Is(err, ErrKey) {
		t.Errorf("got %v with the old key alone, want ErrKey", err)
	}

	mac := before.MAC("place", []byte("data"))
	if !after.CheckMAC("place", []byte("data"), mac) || without.CheckMAC("place", []byte("data"), mac) {
		t.Error("want a MAC to hold as long as its key is in the ring, and no longer")
	}
	if !without.CheckMAC("place", []byte("data"), after.MAC("place", []byte("data"))) {
		t.Error("want the newest key to have made the MAC")
	}
}

func TestWhatDoesNotOpen(t *testing.T) {
	r := New()
	sealed := r.Seal("place", []byte("secret"))
	for name, open := range map[string]func() ([]byte, error){
		"other keys":      func() ([]byte, error) { return New().Open("place", sealed) },
		"another purpose": func() ([]byte, error) { return r.Open("place2", sealed) },
		"no purpose":      func() ([]byte, error) { return r.Open("", sealed) },
		"nothing":         func() ([]byte, error) { return r.Open("place", nil) },
		"cut short":       func() ([]byte, error) { return r.Open("place", sealed[:len(sealed)-1]) },
		"very short":      func() ([]byte, error) { return r.Open("place", sealed[:10]) },
		"with more":       func() ([]byte, error) { return r.Open("place", append(bytes.Clone(sealed), 0)) },
	} {
		if got, err := open(); !errors.Is(err, ErrKey) || got != nil {
			t.Errorf("%s: got %q and %v, want ErrKey", name, got, err)
		}
	}
	for n := range sealed {
		changed := bytes.Clone(sealed)
		changed[n] ^= 1
		if _, err := r.Open("place", changed); !errors.Is(err, ErrKey) {
			t.Errorf("byte %d changed: got %v, want ErrKey", n, err)
		}
	}
	// The same id with another secret is not the same key.
	twin := ring(t, strings.Fields(oldKey)[0]+" "+strings.Fields(newKey)[1])
	if _, err := twin.Open("place", ring(t, oldKey).Seal("place", []byte("secret"))); !errors.Is(err, ErrKey) {
		t.Errorf("a key of the same id: got %v, want ErrKey", err)
	}
}

func TestCheckMAC(t *testing.T) {
	r := New()
	data := []byte("data")
	mac := r.MAC("place", data)
	for _, test := range []struct {
		name    string
		purpose string
		data    string
		mac     []byte
		want    bool
	}{
		{"whole", "place", "data", mac, true},
		{"its first 16 bytes", "place", "data", mac[:16], true},
		{"its first 15 bytes", "place", "data", mac[:15], false},
		{"nothing", "place", "data", nil, false},
		{"with more", "place", "data", append(bytes.Clone(mac), 0), false},
		{"another purpose", "place2", "data", mac, false},
		{"other data", "place", "date", mac, false},
		{"purpose and data divided otherwise", "placed", "ata", mac, false},
		{"other keys", "place", "data", New().MAC("place", data), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := r.CheckMAC(test.purpose, []byte(test.data), test.mac); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestKeysAreSavedOnceAndForTheirOwnerAlone(t *testing.T) {
	r := ring(t, newKey, oldKey)
	path := filepath.Join(t.TempDir(), "keys")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
		t.Errorf("got mode %o, want %o", got, want)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, old := range map[string]*Keyring{"the newest key": ring(t, newKey), "the older key": ring(t, oldKey)} {
		if got, err := again.Open("place", old.Seal("place", []byte("secret"))); err != nil || string(got) != "secret" {
			t.Errorf("%s: got %q and %v from what was saved", name, got, err)
		}
	}
	if _, err := ring(t, newKey).Open("place", again.Seal("place", []byte("secret"))); err != nil {
		t.Errorf("got %v, want the newest key first still", err)
	}
	if err := r.Save(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v for a file that exists, want os.ErrExist", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"a comment alone":          "# keys\n",
		"an id without a secret":   "0a0b0c0d",
		"a secret of 31 bytes":     "0a0b0c0d AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		"an id of three bytes":     "0a0b0c AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"an id that is no number":  "key-one! AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"a bad line after a good":  oldKey + "\nhello\n",
		"an endless line at last":  oldKey + "\n" + strings.Repeat("x", 100_000),
		"a secret with a comment":  oldKey + " # old",
		"a secret that is no text": "0a0b0c0d \x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, text)
			if err == nil {
				t.Fatal("got a keyring, want an error")
			}
			if strings.Contains(err.Error(), "AAECAwQF") {
				t.Errorf("got %v, which holds a key", err)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for no file, want os.ErrNotExist", err)
	}
}

func TestKeysThatOthersCanReadAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := New().Save(path); err != nil {
		t.Fatal(err)
	}
	for mode, taken := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false, 0o602: false, 0o777: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if (err == nil) != taken {
			t.Errorf("%04o: got %v, want taken %v", mode, err, taken)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%04o: got %q, want what to do", mode, err)
		}
	}
}
