package main

import (
	"strings"
	"testing"

	"gatehouse/internal/seal"
	"gatehouse/store"
)

func TestOlderKeysThatSomethingNeedsAreKept(t *testing.T) {
	ring := seal.New().WithNew()
	newest, older := ring.IDs()[0], ring.IDs()[1]
	for _, c := range []struct {
		name    string
		inForce string
		seals   []store.Seal
		nodes   []store.Node
		want    string // in the refusal; empty for none
	}{
		{"nothing is sealed, nobody runs", newest, nil, nil, ""},
		{"all is sealed with the newest", newest, []store.Seal{{Key: newest, What: "things", Count: 3}}, []store.Node{{Host: "h", Keys: []string{newest, older}}}, ""},
		{"the newest is not in force", older, nil, nil, "not in force yet"},
		{"something is sealed with an older one", newest, []store.Seal{{Key: newest, What: "things", Count: 3}, {Key: older, What: "things", Count: 2}}, nil, "2 secrets are sealed with older keys"},
		{"something is sealed with one of no file", newest, []store.Seal{{Key: "ffffffff", What: "things", Count: 1}}, nil, "1 secrets are sealed with older keys"},
		{"a server seals with an older one", newest, nil, []store.Node{{ID: "n1", Host: "h1", Keys: []string{older, newest}}, {ID: "n2", Host: "h2", Keys: []string{newest, older}}}, "older key still: h1 (n1);"},
	} {
		if err := ring.Use(c.inForce); err != nil {
			t.Fatal(err)
		}
		err := keyState{ring: ring, seals: c.seals, nodes: c.nodes}.prunable()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
