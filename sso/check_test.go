package sso_test

import (
	"crypto"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/seal"
	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

const cases = "../testdata/saml"

// TestCasesAreCurrent holds the cases in testdata to their generator.
func TestCasesAreCurrent(t *testing.T) {
	want, err := samltest.Files()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, kind := range []string{"good", "bad"} {
		err := filepath.WalkDir(filepath.Join(cases, kind), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			name, _ := filepath.Rel(cases, path)
			got[filepath.ToSlash(name)] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("testdata/saml is not what its generator writes; run\n\tgo generate ./sso\ngot (+), want (-):\n%.2000s", diff)
	}
}

func TestGoodResponsesAreAdmitted(t *testing.T) {
	each(t, "good", func(t *testing.T, c samltest.Case) {
		a, err := check(t, c)
		if err != nil {
			t.Fatalf("got %v, want an assertion (%s)", err, c.Why)
		}
		got := samltest.Case{
			Subject: a.Subject.Kind + " " + a.Subject.Value, NameID: a.NameID.Value, Email: a.Email,
			Groups: a.Groups, Warnings: len(a.Warnings),
		}
		want := samltest.Case{Subject: c.Subject, NameID: c.NameID, Email: c.Email, Groups: c.Groups, Warnings: c.Warnings}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("got (+), want (-):\n%s%q", diff, a.Warnings)
		}
		if a.ID != samltest.AssertionID {
			t.Errorf("got assertion %q, want %q", a.ID, samltest.AssertionID)
		}
		if solicited := a.InResponseTo == samltest.RequestID; solicited != (a.Ticket.FlowID == "flow") {
			t.Errorf("got the ticket of flow %q for request %q", a.Ticket.FlowID, a.InResponseTo)
		}
		now := moment(t, c)
		if !a.UsableUntil.After(now) || a.UsableUntil.After(now.Add(24*time.Hour+time.Minute)) {
			t.Errorf("got usable until %v at %v", a.UsableUntil, now)
		}
	})
}

func TestBadResponsesAreRefused(t *testing.T) {
	each(t, "bad", func(t *testing.T, c samltest.Case) {
		_, err := check(t, c)
		var r *sso.Rejection
		if !errors.As(err, &r) {
			t.Fatalf("got %v, want rejection %s (%s)", err, c.Code, c.Why)
		}
		if r.Code != c.Code {
			t.Errorf("got rejection %v, want %s (%s)", r, c.Code, c.Why)
		}
		if r.Message == "" || r.Remedy == "" {
			t.Errorf("got rejection %s without a message or a remedy", r.Code)
		}
	})
}

// TestNothingOutlivesItsMemory holds UsableUntil to what it promises: a
// response is refused from that moment on, so its id may be forgotten; and not
// a second earlier, so that no id is kept for nothing.
func TestNothingOutlivesItsMemory(t *testing.T) {
	each(t, "good", func(t *testing.T, c samltest.Case) {
		a, err := check(t, c)
		if err != nil {
			t.Fatal(err)
		}
		c.Clock = a.UsableUntil.Format(time.RFC3339Nano)
		if _, err := check(t, c); err == nil {
			t.Errorf("got admitted at %s, want a rejection", c.Clock)
		}
		c.Clock = a.UsableUntil.Add(-time.Second).Format(time.RFC3339Nano)
		if _, err := check(t, c); err != nil {
			t.Errorf("got %v at %s, want an assertion", err, c.Clock)
		}
	})
}

// each runs f on every case of a kind.
func each(t *testing.T, kind string, f func(*testing.T, samltest.Case)) {
	entries, err := os.ReadDir(filepath.Join(cases, kind))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Fatalf("there are no %s cases", kind)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			c, err := samltest.Read(filepath.Join(cases, kind, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			f(t, c)
		})
	}
}

// check judges a case as a server would.
func check(t testing.TB, c samltest.Case) (*sso.Assertion, error) {
	t.Helper()
	raw := []byte(c.Response)
	if c.Base64 {
		var err error
		if raw, err = sso.DecodeResponse(c.Response); err != nil {
			return nil, err
		}
	}
	idp := idpOf(t, c)
	return providerOf(t, c, idp).Check(idp, raw, expectation(idp, moment(t, c), c.Unsolicited))
}

// providerOf is us, with the key that the cases encrypt to.
func providerOf(t testing.TB, c samltest.Case, idp *sso.IdP) *sso.Provider {
	t.Helper()
	if c.NoKey {
		return &sso.Provider{Keys: seal.New()}
	}
	return providerWith(t, samltest.Keys("sp").Key, idp)
}

func providerWith(t testing.TB, key crypto.Signer, idp *sso.IdP) *sso.Provider {
	t.Helper()
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ring := seal.New()
	idp.SPKey = ring.Seal(sso.KeyPurpose(idp.ID), plain)
	return &sso.Provider{Keys: ring}
}

func moment(t testing.TB, c samltest.Case) time.Time {
	t.Helper()
	now, err := time.Parse(time.RFC3339Nano, c.Clock)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// idpOf is the method of a case.
func idpOf(t testing.TB, c samltest.Case) *sso.IdP {
	t.Helper()
	idp := &sso.IdP{
		ID: "am0000000000b", AccountID: "a00000000000", Base: samltest.Base, Enabled: true, State: sso.Active,
		Settings: sso.Settings{
			EntityID: samltest.EntityID, SSOURL: "https://idp.example/sso",
			AllowSHA1: c.AllowSHA1, AllowSmallKeys: c.AllowSmallKeys,
			AllowEmptyReference: c.AllowEmptyReference, AllowNoRecipient: c.AllowNoRecipient, WantAssertionSigned: c.WantSigned,
			ForceAuthn: c.ForceAuthn, RequestAuthnContext: c.WantContext, Variant: c.Variant,
			Mapping: sso.Mapping{Identity: c.IdentityName},
		},
	}
	if pems := strings.Join(c.Pems, ""); pems != "" {
		certs, err := sso.ParseCertificates(pems)
		if err != nil {
			t.Fatal(err)
		}
		idp.Certificates = certs
	}
	return idp
}

func expectation(idp *sso.IdP, now time.Time, unsolicited bool) sso.Expectation {
	want := idp.Expect(now)
	want.Unsolicited = unsolicited
	want.Ticket = func(id string) (sso.Ticket, error) {
		if id != samltest.RequestID {
			return sso.Ticket{}, &sso.Rejection{Code: "unknown_request", Message: "Not ours.", Remedy: "Start again."}
		}
		return sso.Ticket{FlowID: "flow", ExpiresAt: samltest.Now.Add(sso.TicketLifetime - time.Minute)}, nil
	}
	return want
}
