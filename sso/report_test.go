package sso_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// explain gives what a report says of a case, beside the verdict.
func explain(t *testing.T, c samltest.Case) (*sso.Report, error) {
	t.Helper()
	_, err := check(t, c)
	raw := []byte(c.Response)
	if c.Base64 {
		decoded, bad := sso.DecodeResponse(c.Response)
		if bad != nil {
			return sso.Undecoded(bad), err
		}
		raw = decoded
	}
	idp := idpOf(t, c)
	return providerOf(t, c, idp).Explain(idp, raw, expectation(idp, moment(t, c), c.Unsolicited)), err
}

func TestAReportOfWhatIsAdmittedHasNoFailure(t *testing.T) {
	each(t, "good", func(t *testing.T, c samltest.Case) {
		report, _ := explain(t, c)
		if !report.Accepted || !report.Signed || report.Code != "" {
			t.Errorf("got accepted %v, signed %v, code %q, want an accepted and signed one", report.Accepted, report.Signed, report.Code)
		}
		for _, j := range report.Judgements {
			if j.Result != sso.Pass || j.Expected == "" || j.Got == "" {
				t.Errorf("got %+v, want a pass that says what was expected and what there was", j)
			}
		}
		if report.NameID.Value != c.NameID || report.Email != c.Email {
			t.Errorf("got the person %q %q, want %q %q", report.NameID.Value, report.Email, c.NameID, c.Email)
		}
	})
}

func TestAReportOfWhatIsRefusedHasTheReason(t *testing.T) {
	each(t, "bad", func(t *testing.T, c samltest.Case) {
		report, err := explain(t, c)
		var r *sso.Rejection
		if !errors.As(err, &r) {
			t.Fatalf("got the verdict %v, want a rejection", err)
		}
		if report.Accepted || report.Code != r.Code {
			t.Errorf("got accepted %v with code %q, want it refused for %q", report.Accepted, report.Code, r.Code)
		}
		if !slices.ContainsFunc(report.Failures(), func(j sso.Judgement) bool { return j.Code == r.Code && j.Message == r.Message }) {
			t.Errorf("got the failures %+v, want %s among them", report.Failures(), r.Code)
		}
		for _, j := range report.Judgements {
			if j.Result == sso.NotJudged && j.Message == "" {
				t.Errorf("got %+v, want a reason why it was not judged", j)
			}
		}
	})
}

// Whoever sets up an identity provider has several things wrong at once.
func TestAReportGoesOnBeyondTheFirstFailure(t *testing.T) {
	c, err := samltest.Read(cases + "/good/both-signed")
	if err != nil {
		t.Fatal(err)
	}
	idp := idpOf(t, c)
	idp.EntityID = "https://another.example"
	c.Pems = []string{samltest.Keys("attacker").PEM()}
	idp.Certificates = idpOf(t, c).Certificates
	want := expectation(idp, moment(t, c), false)
	want.Audiences, want.Recipients = []string{"https://us.example/metadata"}, []string{"https://us.example/acs"}
	report := providerOf(t, c, idp).Explain(idp, []byte(c.Response), want)
	var got []string
	for _, j := range report.Failures() {
		got = append(got, j.Rule+" "+j.Code)
	}
	if diff := cmp.Diff([]string{
		"signature wrong_key", "destination destination_mismatch", "response_issuer issuer_mismatch",
		"issuer issuer_mismatch", "audience audience_mismatch", "recipient recipient_mismatch",
	}, got); diff != "" {
		t.Errorf("got (+), want (-):\n%s", diff)
	}
	if report.Signed || !report.Ours {
		t.Errorf("got signed %v, ours %v, want an answer to our request that nobody signed for us", report.Signed, report.Ours)
	}
}

// What nobody signed is not decrypted for a report either: that would make it
// an oracle.
func TestAReportDecryptsNothingThatCheckWouldNot(t *testing.T) {
	found := 0
	for _, kind := range []string{"good", "bad"} {
		each(t, kind, func(t *testing.T, c samltest.Case) {
			if !strings.Contains(c.Response, "EncryptedID>") {
				return
			}
			c.Pems = []string{samltest.Keys("attacker").PEM()}
			report, _ := explain(t, c)
			if report.Signed || report.NameID.Value != "" {
				t.Errorf("got signed %v and the name %q of a response by an unknown key", report.Signed, report.NameID.Value)
			}
			found++
		})
	}
	if found == 0 {
		t.Error("there is no case with an encrypted name")
	}
}

// BenchmarkExplain8KB is what a report costs, which logins do not pay.
func BenchmarkExplain8KB(b *testing.B) {
	c := response8KB(b)
	idp, raw := idpOf(b, c), []byte(c.Response)
	want := expectation(idp, moment(b, c), false)
	n := 0
	provider := &sso.Provider{Guard: &sso.Guard{Sample: func() bool { n++; return n%100 == 0 }}}
	b.ReportAllocs()
	for b.Loop() {
		if report := provider.Explain(idp, raw, want); !report.Accepted {
			b.Fatal(report.Code)
		}
	}
}
