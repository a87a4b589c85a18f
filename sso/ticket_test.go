package sso

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/seal"
)

func TestTicketComesBackInItsRequestID(t *testing.T) {
	p := &Provider{Keys: seal.New()}
	for _, purpose := range []Purpose{ToLogin, ToSignup, ToLink, ToLoginAsked} {
		ticket := NewTicket(purpose, "secret", moment)
		id := p.RequestID("am1", ticket)
		if len(id) != 95 || id[0] != '_' || strings.Trim(id, "_-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("got ID %q, want an NCName of 95 characters", id)
		}
		got, err := p.Tickets("am1", moment.Add(TicketLifetime-time.Second))(id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ticket, got); diff != "" {
			t.Errorf("ticket (-want +got):\n%s", diff)
		}
		if got.Browser != BrowserHash("secret") || got.Browser == BrowserHash("Secret") {
			t.Error("the ticket is not its browser's")
		}
	}
}

func TestTicketsDiffer(t *testing.T) {
	if a, b := NewTicket(ToLogin, "secret", moment), NewTicket(ToLogin, "secret", moment); a.FlowID == b.FlowID || len(a.FlowID) != 32 {
		t.Errorf("got flows %s and %s, want two of 32 digits", a.FlowID, b.FlowID)
	}
}

func TestRequestIDsThatDoNotCount(t *testing.T) {
	p := &Provider{Keys: seal.New()}
	id := p.RequestID("am1", NewTicket(ToLogin, "secret", moment))
	raw, err := base64.RawURLEncoding.DecodeString(id[1:])
	if err != nil {
		t.Fatal(err)
	}
	// forge signs what it is given, as somebody with our keys would.
	forge := func(version byte) string {
		b := append([]byte{version}, raw[1:ticketSize-16]...)
		b = append(b, p.Keys.MAC("authn-request am1", b)[:16]...)
		return "_" + base64.RawURLEncoding.EncodeToString(b)
	}
	if _, err := p.Tickets("am1", moment)(forge(1)); err != nil {
		t.Fatalf("got %v for a forgery that is perfect, want none: the rows below prove nothing", err)
	}
	for _, test := range []struct {
		name, idp, id string
		now           time.Time
		code          string
	}{
		{"of another identity provider", "am2", id, moment, "unknown_request"},
		{"of another version", "am1", forge(2), moment, "unknown_request"},
		{"at its last moment", "am1", id, moment.Add(TicketLifetime), "request_expired"},
		{"long after", "am1", id, moment.Add(24 * time.Hour), "request_expired"},
		{"made with other keys", "am1", (&Provider{Keys: seal.New()}).RequestID("am1", NewTicket(ToLogin, "secret", moment)), moment, "unknown_request"},
		{"empty", "am1", "", moment, "unknown_request"},
		{"cut short", "am1", id[:72], moment, "unknown_request"},
		{"with more behind it", "am1", id + "A", moment, "unknown_request"},
		{"without its underscore", "am1", "A" + id[1:], moment, "unknown_request"},
		{"not base64", "am1", "_" + strings.Repeat("*", 72), moment, "unknown_request"},
		{"with a line break", "am1", id[:40] + "\n" + id[41:], moment, "unknown_request"},
		{"somebody else's", "am1", "_" + strings.Repeat("0123456789abcdef", 2), moment, "unknown_request"},
		{"very long", "am1", "_" + strings.Repeat("A", 100000), moment, "unknown_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := p.Tickets(test.idp, test.now)(test.id)
			var r *Rejection
			if !errors.As(err, &r) || r.Code != test.code {
				t.Fatalf("got %v, want a rejection %s", err, test.code)
			}
			if len(r.Got) > 210 || r.Message == "" || r.Remedy == "" {
				t.Errorf("got %+v, want it short, with a message and a remedy", r)
			}
		})
	}
}

func TestEveryBitOfARequestIDCounts(t *testing.T) {
	p := &Provider{Keys: seal.New()}
	id := p.RequestID("am1", NewTicket(ToLogin, "secret", moment))
	open := p.Tickets("am1", moment)
	raw, _ := base64.RawURLEncoding.DecodeString(id[1:])
	for n := range len(raw) * 8 {
		changed := append([]byte(nil), raw...)
		changed[n/8] ^= 1 << (n % 8)
		if got, err := open("_" + base64.RawURLEncoding.EncodeToString(changed)); err == nil {
			t.Errorf("got %+v with bit %d changed, want a rejection", got, n)
		}
	}
}

func FuzzTicket(f *testing.F) {
	p := &Provider{Keys: seal.New()}
	good := p.RequestID("am1", NewTicket(ToLogin, "secret", moment))
	f.Add(good)
	f.Add("_")
	f.Add("_" + strings.Repeat("A", 72))
	f.Fuzz(func(t *testing.T, id string) {
		got, err := p.Tickets("am1", moment)(id)
		var r *Rejection
		switch {
		case err == nil && id != good:
			t.Errorf("got %+v for %q, which was never made", got, id)
		case err != nil && !errors.As(err, &r):
			t.Errorf("got %v, want a rejection", err)
		}
	})
}
