package ident

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestIDsHaveTheirShape(t *testing.T) {
	shape := regexp.MustCompile(`^org[0-9a-f]{11}$`)
	make := Source("org")
	seen := map[string]bool{}
	for range 1000 {
		id := make()
		if !shape.MatchString(id) || seen[id] {
			t.Fatalf("got %q, want org and 11 hexadecimal digits, new each time", id)
		}
		seen[id] = true
	}
}

func TestUUIDsSortByTime(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	last := ""
	for n := range 5000 {
		id := UUID(now.Add(time.Duration(n) * time.Microsecond))
		if !shape.MatchString(id) || id <= last {
			t.Fatalf("got %q after %q, want a later UUIDv7", id, last)
		}
		last = id
	}
	// RFC 9562, appendix A.6: this moment begins so.
	if got, want := UUID(time.UnixMilli(0x017F22E279B0))[:13], "017f22e2-79b0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if one, other := UUID(now), UUID(now); one == other {
		t.Error("got the same UUID twice in a moment")
	}
}

func TestSecretsAreAsLongAsAsked(t *testing.T) {
	for _, n := range []int{0, 1, 40, 1000} {
		s := Secret(n)
		if len(s) != n || strings.Trim(s, digits62) != "" {
			t.Errorf("got %q, want %d characters of base 62", s, n)
		}
	}
	if one, other := Secret(40), Secret(40); one == other {
		t.Error("got the same secret twice")
	}
}

// Each digit comes up as often as the others: 62,000 draws give about 1,000
// each, with a standard deviation of 31. Ten of them never happen by chance.
func TestSecretsAreEven(t *testing.T) {
	counts := map[rune]int{}
	for _, r := range Secret(62_000) {
		counts[r]++
	}
	for _, r := range digits62 {
		if n := counts[r]; n < 690 || n > 1310 {
			t.Errorf("got %c %d times, want about 1000", r, n)
		}
	}
}

func TestRetryMakesThreeIdsAtMost(t *testing.T) {
	taken, other := errors.New("taken"), errors.New("other")
	for _, tt := range []struct {
		name    string
		answers []error
		want    error
		tries   int
	}{
		{"new at once", []error{nil}, nil, 1},
		{"new the second time", []error{taken, nil}, nil, 2},
		{"new the third time", []error{taken, taken, nil}, nil, 3},
		{"something else", []error{taken, other}, other, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			err := Retry(func(err error) bool { return err == taken }, func() error {
				tries++
				return tt.answers[tries-1]
			})
			if err != tt.want || tries != tt.tries {
				t.Errorf("got %v after %d tries, want %v after %d", err, tries, tt.want, tt.tries)
			}
		})
	}
	tries := 0
	err := Retry(func(error) bool { return true }, func() error { tries++; return taken })
	if err == nil || errors.Is(err, taken) || tries != 3 {
		t.Errorf("got %v after %d tries, want an error of our own after 3", err, tries)
	}
}
