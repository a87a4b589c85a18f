package sso_test

import (
	"errors"
	"strings"
	"testing"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// guarded is a response with one signature, and how to have it checked.
func guarded(t *testing.T, g *sso.Guard) func(edit ...string) error {
	t.Helper()
	c, err := samltest.Read(cases + "/good/assertion-signed")
	if err != nil {
		t.Fatal(err)
	}
	idp := idpOf(t, c)
	return func(edit ...string) error {
		raw := strings.NewReplacer(edit...).Replace(c.Response)
		_, err := (&sso.Provider{Guard: g}).Check(idp, []byte(raw), expectation(idp, moment(t, c), false))
		return err
	}
}

func code(err error) string {
	var r *sso.Rejection
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func TestAGuardAsksTwiceAtFirstAndOfASample(t *testing.T) {
	asked, sampled := 0, false
	g := &sso.Guard{Sample: func() bool { return sampled }}
	g.Judges(&asked, nil, false)
	check := guarded(t, g)
	for i, want := range []int{1, 1, 1} {
		if err := check(); err != nil {
			t.Fatal(err)
		}
		if asked != want {
			t.Errorf("login %d: got the library asked %d times, want %d", i+1, asked, want)
		}
	}
	sampled = true
	if err := check(); err != nil || asked != 2 {
		t.Errorf("got %v and %d questions, want one more of the sample", err, asked)
	}
	sampled = false
	if got := code(check("alice", "mallory")); got != "content_changed" || asked != 3 {
		t.Errorf("got %s and %d questions, want what we refuse refused by both", got, asked)
	}
	if g.Off() {
		t.Error("got it off, though the two agree")
	}
}

func TestWithoutASampleBothJudgeAlways(t *testing.T) {
	asked := 0
	g := &sso.Guard{}
	g.Judges(&asked, nil, false)
	check := guarded(t, g)
	for range 3 {
		if err := check(); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("got %d questions, want 3", asked)
	}
}

func TestADisagreementRefusesAlarmsAndTurnsOursOff(t *testing.T) {
	for _, tt := range []struct {
		name  string
		says  error
		blind bool
		edit  []string
		ours  bool
	}{
		{"we admit what the library refuses", errors.New("Signature could not be verified"), false, nil, true},
		{"the library admits what we refuse", nil, true, []string{"alice", "mallory"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, alarms := 0, 0
			g := &sso.Guard{Sample: func() bool { return false }, Alarm: func(methodID string, ours bool) {
				alarms++
				if ours != tt.ours {
					t.Errorf("got told that ours admits: %v, want %v", ours, tt.ours)
				}
			}}
			g.Judges(&asked, tt.says, tt.blind)
			check := guarded(t, g)
			if got := code(check(tt.edit...)); got != "verifiers_disagree" || alarms != 1 || !g.Off() {
				t.Fatalf("got %s, %d alarms, off %v; want it refused, told and off", got, alarms, g.Off())
			}
			// From here on the library judges alone, each time.
			g.Judges(&asked, nil, false)
			for range 2 {
				if err := check(); err != nil {
					t.Error(err)
				}
			}
			if got := code(check("alice", "mallory")); got != "content_changed" || asked != 4 || alarms != 1 {
				t.Errorf("got %s, %d questions and %d alarms, want the library's word alone", got, asked, alarms)
			}
		})
	}
}
