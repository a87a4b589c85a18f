package seal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheKeyInForceSeals(t *testing.T) {
	r := ring(t, newKey, oldKey)
	if diff := cmp.Diff([]string{"01020304", "0a0b0c0d"}, r.IDs()); diff != "" {
		t.Errorf("got other ids (-want +got):\n%s", diff)
	}
	if got := SealedBy(r.Seal("place", nil)); got != "01020304" || r.InForce() != got {
		t.Errorf("got %s, want the first key to seal", got)
	}
	if err := r.Use("0a0b0c0d"); err != nil {
		t.Fatal(err)
	}
	sealed, mac := r.Seal("place", []byte("x")), r.MAC("place", []byte("x"))
	if got := SealedBy(sealed); got != "0a0b0c0d" || r.InForce() != got {
		t.Errorf("got %s, want the key that was put in force", got)
	}
	// A node that has only the old key reads what this one writes.
	before := ring(t, oldKey)
	if _, err := before.Open("place", sealed); err != nil || !before.CheckMAC("place", []byte("x"), mac) {
		t.Errorf("got %v, want a node with the old key alone to read it", err)
	}
	if err := r.Use("ffffffff"); !errors.Is(err, ErrKey) || r.InForce() != "0a0b0c0d" {
		t.Errorf("got %v and %s in force, want ErrKey and no change", err, r.InForce())
	}
	if got := SealedBy([]byte("short")); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	first := New()
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	second := first.WithNew()
	if err := second.Replace(link); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second.IDs(), got.IDs()); diff != "" || len(got.IDs()) != 2 || got.IDs()[1] != first.IDs()[0] {
		t.Errorf("got other keys (-want +got):\n%s", diff)
	}
	if _, err := got.Open("place", first.Seal("place", nil)); err != nil {
		t.Errorf("got %v, want the old key to be there still", err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v (%v), want a file with mode 600", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("got %v (%v), want the link to stay", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("got %v (%v), want nothing left behind", files, err)
	}
	if err := got.Newest().Replace(path); err != nil {
		t.Fatal(err)
	}
	if last, err := Load(path); err != nil || cmp.Diff(got.IDs()[:1], last.IDs()) != "" {
		t.Errorf("got %v, want the newest alone", err)
	}
}

func TestReplaceThatCannot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	if err := New().Replace(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want nothing to be made where nothing was", err)
	}
	r := New()
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.WithNew().Replace(path); err == nil || !strings.Contains(err.Error(), "keys.new is there") {
		t.Errorf("got %v, want a refusal while somebody else is at it", err)
	}
	if got, err := Load(path); err != nil || got.InForce() != r.InForce() {
		t.Errorf("got %v, want the keys as they were", err)
	}
}
