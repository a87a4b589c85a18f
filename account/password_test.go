package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func TestCheckNewPassword(t *testing.T) {
	for _, test := range []struct {
		name, password string
		ok             bool
	}{
		{"8 characters", "12345678", true},
		{"8 characters of several bytes", "éééééééé", true},
		{"with blanks, which belong to it", " 1 2 3 4 ", true},
		{"256 bytes", strings.Repeat("x", 256), true},
		{"7 characters", "1234567", false},
		{"7 characters of several bytes", "ééééééé", false},
		{"nothing", "", false},
		{"257 bytes", strings.Repeat("x", 257), false},
		{"256 bytes and one more in 129 characters", strings.Repeat("é", 129), false},
		{"what no byte of UTF-8 is", "correct horse\xff", false},
		{"half a character", "correct horse\xc3", false},
		{"NUL", "correct\x00horse", false},
		{"a line break", "correct\nhorse", false},
		{"a tab", "correct\thorse", false},
		{"a control character of two bytes", "correct\u0085horse", false},
		{"a joined sign", "correct 👩\u200d🚀", true},
		{"the address", "alice@example.com", false},
		{"the address in capitals", "ALICE@example.com", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := CheckNewPassword(test.password, "alice@example.com")
			if !test.ok {
				wantInvalid(t, err, "password")
				return
			}
			if err != nil {
				t.Errorf("got %v, want it taken", err)
			}
		})
	}
}

func TestCheckTypedPassword(t *testing.T) {
	for password, ok := range map[string]bool{"x": true, strings.Repeat("x", 256): true, "": false, strings.Repeat("x", 257): false, "a\xff": false, "a\x00": false, "a\r\n": false, "é ü": true} {
		err := CheckTypedPassword(password)
		if !ok {
			wantInvalid(t, err, "password")
		} else if err != nil {
			t.Errorf("got %v for %d bytes, want it taken", err, len(password))
		}
	}
}

func TestPasswordMatches(t *testing.T) {
	p := NewPasswords()
	hash, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s, want argon2id of 19 MiB, two passes, one lane", hash)
	}
	for _, test := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", hash, "correct horse", true},
		{"another", hash, "correct Horse", false},
		{"nothing", hash, "", false},
		{"an account without a password", "", "correct horse", false},
		{"an account without a password, nothing typed", "", "", false},
		{"an account without a password, what the stand-in hashes", "", "no password", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := p.Matches(t.Context(), test.hash, test.password)
			if err != nil || got != test.want {
				t.Errorf("got %t and %v, want %t", got, err, test.want)
			}
		})
	}
	if got, err := p.Matches(t.Context(), "not a hash", "x"); err == nil || got {
		t.Errorf("got %t and %v for a damaged hash, want false and an error", got, err)
	}
}

func TestHashesOfOnePasswordDiffer(t *testing.T) {
	p := NewPasswords()
	one, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if one == two {
		t.Error("got the same hash twice, want salt")
	}
}

func TestPasswordsAreBusy(t *testing.T) {
	p := NewPasswords()
	p.Turns.Wait = time.Nanosecond
	var leave func()
	for range max(1, p.Turns.N) {
		var err error
		if leave, err = p.Turns.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, hashErr := p.Hash(t.Context(), "correct horse")
	_, matchErr := p.Matches(t.Context(), "", "correct horse")
	for name, err := range map[string]error{"hash": hashErr, "match": matchErr} {
		if f := fault.Of(err); err == nil || f.Kind != fault.Unavailable || f.RetryAfter != 2*time.Second || !strings.Contains(f.Message, "logging in") {
			t.Errorf("%s: got %v, want unavailable with a time to try again", name, err)
		}
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(gone, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v for a caller that has left, want context.Canceled", err)
	}

	// A turn that is given back is there for the next, each time.
	leave()
	for range 2 {
		if _, err := p.Hash(t.Context(), "correct horse"); err != nil {
			t.Errorf("got %v with a turn free, want none", err)
		}
	}
}
