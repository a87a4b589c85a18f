package parts

import (
	"strings"
	"testing"
)

// recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	skipped, failed bool
	line            string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Skipf(f string, a ...any)  { r.skipped, r.line = true, f+" "+join(a) }
func (r *recorder) Fatalf(f string, a ...any) { r.failed, r.line = true, f+" "+join(a) }

func join(args []any) string {
	var s []string
	for _, a := range args {
		s = append(s, a.(string))
	}
	return strings.Join(s, " ")
}

func TestNeed(t *testing.T) {
	tests := []struct {
		name          string
		value, strict string
		skipped, fail bool
	}{
		{"the part is there", "postgres://here", "", false, false},
		{"the part is there, skipping forbidden", "postgres://here", "1", false, false},
		{"the part is missing", "", "", true, false},
		{"the part is missing, skipping forbidden", "", "1", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(Postgres, tt.value)
			t.Setenv(Strict, tt.strict)
			r := &recorder{}
			if got := Need(r, Postgres); got != tt.value {
				t.Errorf("got %q, want %q", got, tt.value)
			}
			if r.skipped != tt.skipped || r.failed != tt.fail {
				t.Errorf("got skipped %v, failed %v, want %v, %v", r.skipped, r.failed, tt.skipped, tt.fail)
			}
			if (tt.skipped || tt.fail) && !strings.Contains(r.line, "PostgreSQL") {
				t.Errorf("got %q, want a line that names PostgreSQL", r.line)
			}
		})
	}
}

func TestProgramThatIsMissingIsNamed(t *testing.T) {
	t.Setenv(Strict, "")
	r := &recorder{}
	Program(r, "no-such-program")
	if !r.skipped || !strings.Contains(r.line, "no-such-program") {
		t.Errorf("got skipped %v with %q, want a skip that names the program", r.skipped, r.line)
	}
}
