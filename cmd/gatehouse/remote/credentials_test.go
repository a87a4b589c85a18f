package remote

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func credentials(t *testing.T) *Credentials {
	return &Credentials{Path: filepath.Join(t.TempDir(), "gatehouse", "credentials.json")}
}

func TestLoginsAreKeptByTheirServer(t *testing.T) {
	c := credentials(t)
	const one, two = "https://one.test", "https://two.test"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Keep(one, Login{Token: "t1", Email: "ann@one.test"}))
	must(c.Keep(two, Login{Token: "t2", Email: "ann@two.test"}))
	must(c.Keep(two, Login{Token: "t3", Email: "bob@two.test"}))
	got, err := c.Load()
	must(err)
	want := Kept{Current: two, Logins: map[string]Login{one: {Token: "t1", Email: "ann@one.test"}, two: {Token: "t3", Email: "bob@two.test"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Forgetting one leaves the other, which is the current one then.
	must(c.Forget(two))
	must(c.Forget("https://three.test"))
	got, err = c.Load()
	must(err)
	if diff := cmp.Diff(Kept{Current: one, Logins: map[string]Login{one: {Token: "t1", Email: "ann@one.test"}}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	must(c.Forget(one))
	if _, err := os.Stat(c.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want the file to be gone with the last login", err)
	}
	must(c.Forget(one))
}

func TestCredentialsAreForTheirOwnerAlone(t *testing.T) {
	c := credentials(t)
	if err := c.Keep("https://one.test", Login{Token: "t1", Email: "ann@one.test"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{c.Path: 0o600, filepath.Dir(c.Path): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v and %v, want %v", path, info.Mode(), err, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(c.Path), ".credentials-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("got %v and %v, want nothing left beside the file", left, err)
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o602, 0o610} {
		if err := os.Chmod(c.Path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := c.Load()
		var f *Failure
		if !errors.As(err, &f) || !strings.HasPrefix(f.Hint, "chmod 600 ") {
			t.Errorf("mode %04o: got %v, want it refused with a hint", mode, err)
		}
		if err := c.Keep("https://one.test", Login{Token: "t2"}); err == nil {
			t.Errorf("mode %04o: a login was kept in a file that others can read", mode)
		}
	}
}

func TestAFileThatIsNoneIsSaidToBe(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "half": `{"current": "htt`, "a list": `[]`, "other": `{"logins": 7}`, "huge": strings.Repeat(" ", mostCredentials+1),
	} {
		c := &Credentials{Path: filepath.Join(t.TempDir(), "credentials.json")}
		if err := os.WriteFile(c.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Load(); err == nil || !strings.Contains(err.Error(), "credentials file") {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
	}
	c := &Credentials{Path: filepath.Join(t.TempDir(), "credentials.json")}
	if err := os.WriteFile(c.Path, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Keep("https://one.test", Login{Token: "t1"}); err != nil {
		t.Errorf("a file with nothing in it: got %v, want a login to be kept", err)
	}
}
