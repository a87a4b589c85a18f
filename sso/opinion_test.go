package sso_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crewjam/saml"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// crewjamCannot are good responses that crewjam/saml refuses, with its reason.
var crewjamCannot = map[string]string{
	"account-urls":                  "it knows one ACS URL",
	"blanks-in-base64":              "it takes line breaks only",
	"conditions-without-bounds":     "a missing end counts as past",
	"default-namespace-on-response": "it loses the default namespace of what is around",
	"ecdsa-p256":                    "it wants ASN.1",
	"ecdsa-p521":                    "it wants ASN.1",
	"encrypted-aes256-cbc":          "it loses the prefixes of what is around",
	"encrypted-response-signed":     "it loses the prefixes of what is around",
	"expired-certificate":           "it demands valid dates",
	"foreign-key-info":              "it believes KeyInfo",
	"holder-of-key-beside-bearer":   "it wants every confirmation to hold",
	"inclusive-default-prefix":      "it does not know #default",
	"no-destination":                "it demands one in signed responses",
	"no-recipient-allowed":          "it demands a Recipient",
	"other-recipient-beside-ours":   "it wants every confirmation to hold",
	"rebound-prefixes":              "it loses the prefixes of what is around",
	"skew-59s-behind":               "it wants responses issued in the last 90 seconds",
	"reissued-certificate":          "it wants the certificate byte by byte",
	"rollover-without-key-info":     "it takes one certificate only without KeyInfo",
	"two-audiences":                 "it knows the last Audience only",
	"unsolicited":                   "it is not set up for them here",
}

// crewjamCannotRead says why crewjam/saml refuses a good case, if it has to.
func crewjamCannotRead(c samltest.Case) string {
	if strings.HasPrefix(c.Name, "encrypted-id") {
		return "" // it leaves names as they are, encrypted
	}
	if strings.Contains(c.Response, "#aes256-gcm") || strings.Contains(c.Response, "#aes192-gcm") {
		return "it has AES-GCM of 128 bits only"
	}
	return crewjamCannot[c.Name]
}

// TestSecondOpinion has crewjam/saml judge the good cases: where it admits
// one, it has to see the same person.
func TestSecondOpinion(t *testing.T) {
	each(t, "good", func(t *testing.T, c samltest.Case) {
		ours, err := check(t, c)
		if err != nil {
			t.Fatal(err)
		}
		raw := []byte(c.Response)
		if c.Base64 {
			if raw, err = sso.DecodeResponse(c.Response); err != nil {
				t.Fatal(err)
			}
		}
		sp := crewjamSP(t, idpOf(t, c), moment(t, c))
		theirs, err := theirOpinion(sp, raw)
		if err != nil {
			if crewjamCannotRead(c) == "" {
				t.Errorf("crewjam/saml refuses: %v", err)
			}
			return
		}
		if why := crewjamCannotRead(c); why != "" {
			t.Errorf("crewjam/saml admits what it could not: %s", why)
		}
		if c.Name == "references-in-name-id" {
			return // it turns the carriage return into a line feed
		}
		if c.Name == "encrypted-id" || c.Name == "encrypted-id-aes128-cbc" {
			if theirs.Subject.NameID != nil {
				t.Errorf("crewjam/saml decrypts a name: compare it")
			}
			return
		}
		if theirs.ID != ours.ID || theirs.Subject.NameID.Value != ours.NameID.Value {
			t.Errorf("got %s about %q, crewjam/saml has %s about %q", ours.ID, ours.NameID.Value, theirs.ID, theirs.Subject.NameID.Value)
		}
	})
}

// theirOpinion asks crewjam/saml, whose panics are refusals.
func theirOpinion(sp *saml.ServiceProvider, raw []byte) (*saml.Assertion, error) {
	return theirOpinionOn(sp, raw, []string{samltest.RequestID})
}

func theirOpinionOn(sp *saml.ServiceProvider, raw []byte, requests []string) (a *saml.Assertion, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	a, err = sp.ParseXMLResponse(raw, requests, sp.AcsURL)
	var private *saml.InvalidResponseError
	if errors.As(err, &private) {
		err = private.PrivateErr
	}
	return a, err
}

func TestDecodeResponse(t *testing.T) {
	honest := base64Of([]byte("<a/>"))
	for _, tt := range []struct {
		name, form, want, code string
	}{
		{"plain", honest, "<a/>", ""},
		{"line breaks and blanks", " " + honest[:3] + "\r\n\t" + honest[3:] + "\n", "<a/>", ""},
		{"empty", "", "", "response_empty"},
		{"white space only", " \t\r\n", "", "response_empty"},
		{"not base64", "<a/>", "", "response_not_base64"},
		{"without padding", "PGE-", "", "response_not_base64"},
		{"as large as may be", base64Of(make([]byte, 256<<10)), string(make([]byte, 256<<10)), ""},
		{"a byte more", base64Of(make([]byte, 256<<10+1)), "", "response_too_large"},
		{"10 MB", strings.Repeat("A", 10<<20), "", "response_too_large"},
		{"10 MB of blanks", strings.Repeat(" ", 10<<20), "", "response_empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := sso.DecodeResponse(tt.form)
			var r *sso.Rejection
			if errors.As(err, &r); (r == nil) != (tt.code == "") || r != nil && r.Code != tt.code {
				t.Fatalf("got %v, want code %q", err, tt.code)
			}
			if string(got) != tt.want {
				t.Errorf("got %d bytes, want %d", len(got), len(tt.want))
			}
		})
	}
}
