package sso_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"gatehouse/sso"
)

// A corpusCase is the meta.json of a captured response.
type corpusCase struct {
	Expected     string    `json:"expected"`
	EntityID     string    `json:"idp_entity_id"`
	Audience     string    `json:"sp_entity_id"`
	ACS          string    `json:"acs_url"`
	Destination  string    `json:"destination"`
	InResponseTo []string  `json:"in_response_to"`
	Unsolicited  bool      `json:"idp_initiated"`
	At           time.Time `json:"time_instant"`
	Certificates []string  `json:"idp_certs"`
	NameID       string    `json:"expected_name_id"`
	Forbidden    []string  `json:"forbidden_name_ids"`
	Key          string    `json:"sp_key"` // a file, for what is encrypted to it
	Tags         []string  `json:"tags"`
	Signatures   []struct {
		References []*string `json:"refs"`
	} `json:"signature_oracle"`
	Note  string `json:"note"`
	Layer string `json:"layer"`

	raw []byte
}

// byChoice are the rejections that an honest response may meet, with the
// question in docs/security.md that explains each; others, it may not.
var byChoice = map[string]string{
	"algorithm_refused":       "RSA-PSS, HMAC, Ed25519",
	"assertion_misplaced":     "Assertion in Advice",
	"audience_missing":        "No AudienceRestriction",
	"confirmation_invalid":    "No Recipient in the confirmation",
	"encryption_refused":      "RSA 1.5, triple DES",
	"encryption_unsigned":     "AES-CBC",
	"in_response_to_mismatch": "InResponseTo in one place only",
	"issued_too_long_ago":     "Issued more than 10 minutes ago",
	"issuer_mismatch":         "Two issuers that differ",
	"no_authn_statement":      "No AuthnStatement",
	"no_bearer":               "No SubjectConfirmation, or none by bearer",
	"reference_invalid":       `Reference URI="", or none`,
	"transform_refused":       "Inclusive canonicalization",
	"xml_cdata":               "Comments, CDATA",
	"xml_comment":             "Comments, CDATA",
}

// takenByChoice are the responses of the corpus that one may take or not, and
// that are taken here, with the question that explains it.
var takenByChoice = map[string]string{
	"oktadev-09":     "Conditions without times",
	"oktadev-10":     "Conditions without times",
	"onelogin09-022": "Certificate expired",
	"onelogin09-093": "Certificate expired",
	"pysaml2-signed-assertion-random-embedded-cert": "Other certificate in KeyInfo",
	"ruby-duplicated-attributes":                    "Several attributes of one Name",
	"ruby-no-issuer-response":                       "No Issuer in the response",
}

// TestChoicesAreDocumented holds both tables to docs/security.md.
func TestChoicesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []map[string]string{byChoice, takenByChoice} {
		for what, question := range table {
			if !strings.Contains(string(text), "\n| "+question+" | ") {
				t.Errorf("%s: docs/security.md has no choice %q", what, question)
			}
		}
	}
}

// TestCorpus judges responses of real identity providers and of public test
// suites, which are not part of the project: a folder for each, with
// response.xml, meta.json and certificates. GATEHOUSE_TEST_CORPUS says where
// they are.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("GATEHOUSE_TEST_CORPUS")
	if folder == "" {
		folder = "../../shared/corpus"
	}
	metas, _ := filepath.Glob(filepath.Join(folder, "*", "meta.json"))
	if len(metas) == 0 {
		t.Skip("no corpus of captured responses: set GATEHOUSE_TEST_CORPUS to its folder")
	}
	counts := map[string]int{}
	var table []string
	for _, meta := range metas {
		name := filepath.Base(filepath.Dir(meta))
		c := readCorpus(t, meta)
		verdict := judge(t, name, c, filepath.Dir(meta))
		kind := "refused"
		if verdict == "accept" {
			kind = "accepted"
		}
		counts["expected "+c.Expected+", "+kind]++
		code, _, _ := strings.Cut(verdict, ":")
		switch {
		case c.Expected == "reject":
		case kind == "refused" && byChoice[code] == "" && !(c.Expected == "reject_or_full_text" && code == "wrong_key"):
			t.Errorf("%s: got %s, want an assertion", name, verdict)
		case c.Expected == "policy" && kind == "accepted" && takenByChoice[name] == "":
			t.Errorf("%s: got it taken, and no choice that says so", name)
		}
		if c.Expected != "reject" && (c.Expected != "accept" || kind == "refused") {
			table = append(table, c.Expected+" | "+kind+" | "+name+" | "+verdict)
		}
	}
	sort.Strings(table)
	t.Log("responses that are not plainly right or wrong:\n" + strings.Join(table, "\n"))
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%s: %d", k, counts[k])
	}
}

func readCorpus(t *testing.T, meta string) corpusCase {
	t.Helper()
	var c corpusCase
	text, err := os.ReadFile(meta)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil {
		c.raw, err = os.ReadFile(filepath.Join(filepath.Dir(meta), "response.xml"))
	}
	if err != nil {
		t.Fatalf("read %s: %v", meta, err)
	}
	return c
}

// withoutURI says that a signature's reference has no URI, which the tags do
// not name: it takes the allowance for an empty one.
func (c *corpusCase) withoutURI() bool {
	for _, s := range c.Signatures {
		if slices.Contains(s.References, nil) {
			return true
		}
	}
	return false
}

// judge gives "accept" or the rejection, and fails where that can only be
// wrong.
func judge(t *testing.T, name string, c corpusCase, folder string) string {
	t.Helper()
	idp, want := corpusSetup(t, c, folder)
	provider := corpusProvider(t, c, idp, folder)
	a, err := provider.Check(idp, c.raw, want)
	var r *sso.Rejection
	if errors.As(err, &r) && r.Code == "no_identity" {
		// A transient NameID: an administrator would map an attribute.
		idp.Mapping.Identity = "uid"
		a, err = provider.Check(idp, c.raw, want)
	}
	if err != nil {
		return err.Error()
	}
	if c.Expected == "reject" {
		t.Errorf("%s: got admitted as %q, want a rejection", name, a.NameID.Value)
	}
	if slices.Contains(c.Forbidden, a.NameID.Value) {
		t.Errorf("%s: got the forged name %q", name, a.NameID.Value)
	}
	if c.NameID != "" && a.NameID.Value != c.NameID {
		t.Errorf("%s: got the name %q, want %q", name, a.NameID.Value, c.NameID)
	}
	// Without its allowances, a method refuses what needs them.
	if idp.AllowSHA1 || idp.AllowSmallKeys || idp.AllowEmptyReference {
		idp.AllowSHA1, idp.AllowSmallKeys, idp.AllowEmptyReference = false, false, false
		if _, err := provider.Check(idp, c.raw, want); err == nil {
			t.Errorf("%s: got admitted without the allowance that it needs", name)
		}
	}
	return "accept"
}

// corpusProvider is us, with the key that the case is encrypted to.
func corpusProvider(t *testing.T, c corpusCase, idp *sso.IdP, folder string) *sso.Provider {
	t.Helper()
	if c.Key == "" {
		return new(sso.Provider)
	}
	return providerWith(t, corpusKey(t, c, folder), idp)
}

// corpusKey is the key that the case is encrypted to.
func corpusKey(t *testing.T, c corpusCase, folder string) crypto.Signer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, c.Key))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s: %s is not PEM", folder, c.Key)
	}
	var key any
	if key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

func corpusSetup(t *testing.T, c corpusCase, folder string) (*sso.IdP, sso.Expectation) {
	t.Helper()
	idp := &sso.IdP{Settings: sso.Settings{
		EntityID:       c.EntityID,
		AllowSHA1:      slices.Contains(c.Tags, "sha1"),
		AllowSmallKeys: slices.Contains(c.Tags, "rsa_lt_2048"),

		AllowEmptyReference: slices.Contains(c.Tags, "uri_empty") || c.withoutURI(),
	}}
	for _, file := range c.Certificates {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		certs, err := sso.ParseCertificates(string(text))
		if err != nil {
			t.Logf("%s: %v", folder, err)
			continue
		}
		idp.Certificates = append(idp.Certificates, certs...)
	}
	want := sso.Expectation{
		Now:         c.At,
		Audiences:   []string{c.Audience},
		Recipients:  []string{c.ACS},
		Unsolicited: c.Unsolicited,
		Ticket: func(id string) (sso.Ticket, error) {
			if !slices.Contains(c.InResponseTo, id) {
				return sso.Ticket{}, &sso.Rejection{Code: "unknown_request", Got: id}
			}
			return sso.Ticket{}, nil
		},
	}
	if c.Destination != "" {
		want.Recipients = append(want.Recipients, c.Destination)
	}
	return idp, want
}
