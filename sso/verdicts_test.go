package sso_test

import (
	"context"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// A judged is a document with what three verifiers say of it: "accept", or why
// not. What xmlsec1 says is of signatures alone: "valid" if there is one and
// each is, with a certificate that is trusted.
type judged struct {
	name    string // good/…, bad/… or corpus/…
	ours    string
	crewjam string
	xmlsec1 string

	raw   []byte
	certs []string // PEM, one each
}

// agree says whether the three would let the same people in.
func (j judged) agree() bool {
	a, b := j.ours == "accept", j.crewjam == "accept"
	return a == b && a == (j.xmlsec1 == "valid")
}

// TestVerdicts has crewjam/saml and xmlsec1 judge every case, and the corpus
// where it is, and holds each difference to the tables in testdata, which give
// the reason: a new difference has none.
func TestVerdicts(t *testing.T) {
	xmlsec1, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Skip("xmlsec1 is not installed")
	}
	delay, skew := saml.MaxIssueDelay, saml.MaxClockSkew
	saml.MaxIssueDelay, saml.MaxClockSkew = 10*time.Minute, time.Minute // as ours
	t.Cleanup(func() { saml.MaxIssueDelay, saml.MaxClockSkew = delay, skew })
	for table, all := range map[string]func(*testing.T) []judged{"verdicts.txt": judgedCases, "verdicts-corpus.txt": judgedCorpus} {
		t.Run(table, func(t *testing.T) {
			list := all(t)
			askXMLSec(t, xmlsec1, list)
			counts := map[string]int{}
			var differ []judged
			for _, j := range list {
				counts[fmt.Sprintf("ours %t, crewjam %t, xmlsec1 %s", j.ours == "accept", j.crewjam == "accept", j.xmlsec1)]++
				if !j.agree() {
					differ = append(differ, j)
				}
			}
			t.Logf("%d documents, %d differences; %v", len(list), len(differ), counts)
			compareVerdicts(t, filepath.Join("testdata", table), differ)
		})
	}
}

// compareVerdicts holds differences to a table, or writes it.
func compareVerdicts(t *testing.T, file string, differ []judged) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# document | ours | crewjam/saml | xmlsec1, of the signatures | why they differ\n")
	for _, j := range differ {
		why := whyTheyDiffer(j)
		if why == "" {
			t.Errorf("%s: ours says %s, crewjam/saml %s, xmlsec1 %s, for no known reason", j.name, j.ours, j.crewjam, j.xmlsec1)
			why = "?"
		}
		crewjam, _, _ := strings.Cut(j.crewjam, ":")
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s\n", j.name, j.ours, crewjam, j.xmlsec1, why)
	}
	if *record {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got); look why, then go test ./sso -run Verdicts -record:\n%s", file, diff)
	}
}

// judgedCases are the generated ones.
func judgedCases(t *testing.T) (list []judged) {
	for _, kind := range []string{"good", "bad"} {
		entries, err := os.ReadDir(filepath.Join(cases, kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			c, err := samltest.Read(filepath.Join(cases, kind, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			j := judged{name: kind + "/" + c.Name, raw: []byte(c.Response), certs: onePEMEach(strings.Join(c.Pems, ""))}
			if c.Base64 {
				if j.raw, err = sso.DecodeResponse(c.Response); err != nil {
					continue // there is no document
				}
			}
			_, err = check(t, c)
			j.ours = verdict(err)
			sp := crewjamSP(t, idpOf(t, c), moment(t, c))
			sp.AllowIDPInitiated = c.Unsolicited
			_, err = theirOpinion(sp, j.raw)
			if j.crewjam = theirVerdict(err); j.crewjam == "panic" && strings.Contains(j.name, "encrypted") {
				j.crewjam = "refuse" // what it makes of a key that does not fit is chance
			}
			list = append(list, j)
		}
	}
	return list
}

// judgedCorpus are the captured ones, where they are.
func judgedCorpus(t *testing.T) (list []judged) {
	folder := os.Getenv("GATEHOUSE_TEST_CORPUS")
	if folder == "" {
		folder = "../../shared/corpus"
	}
	metas, _ := filepath.Glob(filepath.Join(folder, "*", "meta.json"))
	if len(metas) == 0 {
		t.Skip("no corpus of captured responses: set GATEHOUSE_TEST_CORPUS to its folder")
	}
	for _, meta := range metas {
		c, at := readCorpus(t, meta), filepath.Dir(meta)
		idp, want := corpusSetup(t, c, at)
		provider := corpusProvider(t, c, idp, at)
		j := judged{name: "corpus/" + filepath.Base(at), raw: c.raw}
		_, err := provider.Check(idp, c.raw, want)
		if verdict(err) == "no_identity" {
			idp.Mapping.Identity = "uid"
			_, err = provider.Check(idp, c.raw, want)
		}
		j.ours = verdict(err)
		for _, cert := range idp.Certificates {
			j.certs = append(j.certs, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
		}
		sp := crewjamSP(t, idp, c.At)
		sp.EntityID, sp.AllowIDPInitiated = c.Audience, c.Unsolicited
		sp.AcsURL = parseURL(t, c.ACS)
		sp.Key = nil
		if c.Key != "" {
			sp.Key, _ = corpusKey(t, c, at).(*rsa.PrivateKey)
		}
		_, err = theirOpinionOn(sp, c.raw, c.InResponseTo)
		j.crewjam = theirVerdict(err)
		list = append(list, j)
	}
	return list
}

func verdict(err error) string {
	var r *sso.Rejection
	switch {
	case err == nil:
		return "accept"
	case errors.As(err, &r):
		return r.Code
	}
	return "error: " + err.Error()
}

func theirVerdict(err error) string {
	switch {
	case err == nil:
		return "accept"
	case strings.HasPrefix(err.Error(), "panic:"):
		return "panic"
	}
	return "refuse: " + err.Error()
}

func onePEMEach(text string) (out []string) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out
		}
		out = append(out, string(pem.EncodeToMemory(block)))
	}
}

// askXMLSec asks xmlsec1 about each signature of each document with each
// certificate, a few at once. KeyInfo does not count, as with us.
func askXMLSec(t *testing.T, xmlsec1 string, list []judged) {
	t.Helper()
	folder := t.TempDir()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 3 {
		wg.Go(func() {
			for i := range next {
				list[i].xmlsec1 = xmlsecVerdict(t, xmlsec1, filepath.Join(folder, fmt.Sprint(i)), list[i])
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	wg.Wait()
}

func xmlsecVerdict(t *testing.T, xmlsec1, file string, j judged) string {
	if strings.Contains(string(j.raw), "<!DOCTYPE") {
		return "not asked" // it would read what a document type names
	}
	signatures := len(signatureTag.FindAll(j.raw, 5))
	if signatures == 0 {
		return "none"
	}
	write(t, file, string(j.raw))
	var certs []string
	for i, cert := range j.certs {
		certs = append(certs, fmt.Sprintf("%s-%d.pem", file, i))
		write(t, certs[i], cert)
	}
	for n := range signatures {
		node := fmt.Sprintf("(//*[local-name()='Signature' and namespace-uri()='http://www.w3.org/2000/09/xmldsig#'])[%d]", n+1)
		valid := false
		for _, cert := range certs {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			out, err := exec.CommandContext(ctx, xmlsec1, "--verify", "--enabled-key-data", "key-name", "--enabled-reference-uris", "empty,same-doc",
				"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
				"--pubkey-cert-pem", cert, "--node-xpath", node, file).CombinedOutput()
			cancel()
			if strings.Contains(string(out), "does not return a single node") {
				return "none" // of this namespace
			}
			if valid = err == nil; valid {
				break
			}
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("%s: xmlsec1 did not end as it does: %v\n%s", j.name, err, out)
			}
		}
		if !valid {
			return "invalid"
		}
	}
	return "valid"
}

// signatureTag is where a signature begins.
var signatureTag = regexp.MustCompile(`<(?:[A-Za-z0-9]+:)?Signature[\s>/]`)
