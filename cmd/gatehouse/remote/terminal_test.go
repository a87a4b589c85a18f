package remote

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestKeysAreReadAsTheyAreMeant(t *testing.T) {
	for name, c := range map[string]struct {
		keys, want string
		err        error
	}{
		"a line":                 {"horse\rmore", "horse", nil},
		"a line of another sort": {"horse\n", "horse", nil},
		"nothing":                {"\r", "", nil},
		"with blanks":            {" a horse \r", " a horse ", nil},
		"corrected":              {"hoä\x7frse\x08\x08se\r", "horse", nil},
		"corrected too often":    {"a\x7f\x7f\x7fhorse\r", "horse", nil},
		"begun anew":             {"house\x15horse\r", "horse", nil},
		"interrupted":            {"hor\x03se\r", "", context.Canceled},
		"the end":                {"\x04", "", io.EOF},
		"the end amidst":         {"ho\x04rse\r", "horse", nil},
		"hung up":                {"", "", io.EOF},
		"hung up amidst":         {"horse", "", io.EOF},
	} {
		got, err := readKeys(strings.NewReader(c.keys))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %q and %v, want %q and %v", name, got, err, c.want, c.err)
		}
	}
	if _, err := readKeys(strings.NewReader(strings.Repeat("x", mostTyped+1) + "\r")); err == nil {
		t.Error("got a line without end, want it refused")
	}
}
