package sso_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

func rsaKey(name string) *rsa.PrivateKey { return samltest.Keys(name).Key.(*rsa.PrivateKey) }

// encryptedCase is an honest case, encrypted so and signed in both places.
func encryptedCase(e samltest.Encrypter, sign string) samltest.Case {
	by := samltest.Signer{Pair: samltest.Keys("current")}
	return samltest.Case{
		Response: samltest.FinishSealed(samltest.Template, sign, by, e),
		Pems:     []string{by.PEM()}, Clock: "2026-03-01T12:00:00Z",
	}
}

// counted judges a case with these keys of ours, and says what it cost.
func counted(t testing.TB, c samltest.Case, keys ...string) (*sso.Assertion, sso.Work, *sso.Rejection) {
	t.Helper()
	idp := idpOf(t, c)
	var all []*rsa.PrivateKey
	for _, name := range keys {
		all = append(all, rsaKey(name))
	}
	a, work, err := new(sso.Provider).CheckCounting(idp, []byte(c.Response), expectation(idp, moment(t, c), false), all...)
	var r *sso.Rejection
	errors.As(err, &r)
	return a, work, r
}

// TestFailuresToDecryptAreAlike has everything that can be wrong with a
// ciphertext and its plaintext cost the same and answered the same, to the
// letter: whoever tries learns nothing from the answer.
func TestFailuresToDecryptAreAlike(t *testing.T) {
	same := func(b []byte) []byte { return b }
	flip := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	zero := func(b []byte) []byte { clear(b); return b }
	is := func(s string) func(string) string {
		// As long as the assertion is, so that costs can be compared.
		return func(plain string) string { return s + strings.Repeat(" ", max(0, len(plain)-len(s))) }
	}
	for _, data := range []string{"aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"} {
		var first *sso.Rejection
		var cost sso.Work
		for _, c := range []struct {
			name string
			e    samltest.Encrypter
		}{
			{"for somebody else", samltest.Encrypter{To: new(samltest.Keys("attacker"))}},
			{"padding of the key", samltest.Encrypter{Wrapped: flip}},
			{"key of zeros", samltest.Encrypter{Wrapped: zero}},
			{"key too short for RSA", samltest.Encrypter{Wrapped: func(b []byte) []byte { return b[:1] }}},
			{"key too long for RSA", samltest.Encrypter{Wrapped: func(b []byte) []byte { return append(b, b...) }}},
			{"key of no length", samltest.Encrypter{Key: func(b []byte) []byte { return nil }}},
			{"key of another length", samltest.Encrypter{Key: func(b []byte) []byte { return append(b, 1) }}},
			{"content", samltest.Encrypter{Key: same, Content: flip}},
			{"content by a key of zeros", samltest.Encrypter{Wrapped: flip, ContentKey: make([]byte, map[string]int{"128": 16, "256": 32}[data[3:6]])}},
			{"content of zeros", samltest.Encrypter{Content: zero}},
			{"text", samltest.Encrypter{Plain: is("text")}},
			{"blanks", samltest.Encrypter{Plain: is("")}},
			{"a comment", samltest.Encrypter{Plain: is("<!-- -->")}},
			{"another element", samltest.Encrypter{Plain: is("<a/>")}},
			{"two elements", samltest.Encrypter{Plain: is("<a/><a/>")}},
			{"a document type", samltest.Encrypter{Plain: is("<!DOCTYPE a>")}},
		} {
			c.e.Data = data
			_, work, r := counted(t, encryptedCase(c.e, samltest.SignBoth), "sp", "next")
			if r == nil || r.Code != "decryption_failed" {
				t.Fatalf("%s, %s: got %v, want decryption_failed", data, c.name, r)
			}
			if first == nil {
				first, cost = r, work
			}
			if *r != *first {
				t.Errorf("%s, %s: got the answer %+v, want %+v", data, c.name, *r, *first)
			}
			if work != cost || work.RSA != 2 {
				t.Errorf("%s, %s: got the cost %+v, want %+v with one RSA operation for each key", data, c.name, work, cost)
			}
		}
	}
}

// TestEachKeyOfOursDecrypts is a change of our keys: what was encrypted to the
// one before, or to the next, is read as well. The keys after the one that
// fitted cost nothing.
func TestEachKeyOfOursDecrypts(t *testing.T) {
	c := encryptedCase(samltest.Encrypter{}, samltest.SignAssertion)
	for _, k := range []struct {
		keys []string
		cost int // RSA operations
	}{{[]string{"sp"}, 1}, {[]string{"sp", "next"}, 1}, {[]string{"next", "sp"}, 2}, {[]string{"next", "attacker", "sp"}, 3}} {
		a, work, r := counted(t, c, k.keys...)
		if r != nil || a.NameID.Value != samltest.NameID || work.RSA != k.cost {
			t.Errorf("keys %v: got %v, %+v, %v, want %s by %d RSA operations", k.keys, a, work, r, samltest.NameID, k.cost)
		}
	}
	if _, work, r := counted(t, c); r == nil || r.Code != "decryption_key_missing" || work.RSA != 0 {
		t.Errorf("no key: got %v, %+v, want decryption_key_missing", r, work)
	}
}

// TestKeysDecryptInTheirTime follows a change of keys: the next one decrypts
// from the moment when it is published, the one before until its end.
func TestKeysDecryptInTheirTime(t *testing.T) {
	c := encryptedCase(samltest.Encrypter{}, samltest.SignAssertion) // to "sp"
	now := moment(t, c)
	for _, tt := range []struct {
		name                    string
		present, next, previous string
		until                   time.Time
		code                    string // empty: accepted
	}{
		{"encrypted to the present one", "sp", "next", "", time.Time{}, ""},
		{"encrypted to the next one", "next", "sp", "", time.Time{}, ""},
		{"encrypted to the one before", "next", "", "sp", now.Add(time.Nanosecond), ""},
		{"encrypted to the one before, beside a next one", "next", "attacker", "sp", now.Add(time.Hour), ""},
		{"encrypted to the one before, at its end", "next", "", "sp", now, "decryption_failed"},
		{"encrypted to one that was forgotten", "next", "attacker", "", time.Time{}, "decryption_failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			idp, ring := idpOf(t, c), seal.New()
			set := func(name string) sso.KeySet {
				if name == "" {
					return sso.KeySet{}
				}
				plain, err := x509.MarshalPKCS8PrivateKey(rsaKey(name))
				if err != nil {
					t.Fatal(err)
				}
				return sso.KeySet{Certificates: []byte(name), Sealed: ring.Seal(sso.KeyPurpose(idp.ID), plain)}
			}
			idp.SPKey = set(tt.present).Sealed
			idp.Rollover = sso.Rollover{NextKeys: set(tt.next), PreviousKeys: set(tt.previous), PreviousUntil: tt.until}
			p := &sso.Provider{Keys: ring}
			for _, time := range []string{"first", "second"} { // when the keys are opened, and known
				a, err := p.Check(idp, []byte(c.Response), expectation(idp, now, false))
				var r *sso.Rejection
				switch errors.As(err, &r); {
				case tt.code == "" && (err != nil || a.NameID.Value != samltest.NameID):
					t.Errorf("%s time: got %v and %v, want %s", time, a, err, samltest.NameID)
				case tt.code != "" && (r == nil || r.Code != tt.code):
					t.Errorf("%s time: got %v, want %s", time, err, tt.code)
				}
			}
		})
	}
}

// TestNothingIsDecryptedInVain holds what a stranger can make us do: RSA
// operations come after everything that is cheaper.
func TestNothingIsDecryptedInVain(t *testing.T) {
	doc := encryptedCase(samltest.Encrypter{}, samltest.SignResponse).Response
	attacker := samltest.Signer{Pair: samltest.Keys("attacker")}
	inside := func(s string) string { // what stands in EncryptedAssertion
		_, s, _ = strings.Cut(s, "<saml:EncryptedAssertion>")
		s, _, _ = strings.Cut(s, "</saml:EncryptedAssertion>")
		return s
	}
	many := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(`<xenc:EncryptedKey/>`)
		}
		return b.String()
	}
	cbc := encryptedCase(samltest.Encrypter{Data: "aes128-cbc"}, samltest.SignResponse).Response
	for _, c := range []struct {
		name, response, code string
	}{
		{"5,000 keys", strings.Replace(doc, "<xenc:EncryptedKey ", many(5000)+"<xenc:EncryptedKey ", 1), "encryption_malformed"},
		{"12,000 keys", strings.Replace(doc, "<xenc:EncryptedKey ", many(12000)+"<xenc:EncryptedKey ", 1), "xml_too_complex"},
		{"2,000 assertions", strings.Replace(doc, "<saml:EncryptedAssertion>", strings.Repeat("<saml:EncryptedAssertion/>", 2000)+"<saml:EncryptedAssertion>", 1), "several_assertions"},
		{"2,000 contents", strings.Replace(doc, inside(doc), inside(doc)+strings.Repeat("<xenc:EncryptedData xmlns:xenc='"+cipherNS+"'/>", 2000), 1), "encryption_malformed"},
		{"a stranger's signature", samltest.FinishSealed(samltest.Template, samltest.SignResponse, attacker, samltest.Encrypter{}), "wrong_key"},
		{"a bit of the ciphertext", flipBase64(doc), "content_changed"},
		{"a bit of the ciphertext, CBC", flipBase64(cbc), "content_changed"},
		{"CBC without a signature", samltest.FinishSealed(samltest.Template, samltest.SignNone, samltest.Signer{}, samltest.Encrypter{Data: "aes128-cbc"}), "encryption_unsigned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, work, r := counted(t, samltest.Case{Response: c.response, Pems: []string{samltest.Keys("current").PEM()}, Clock: "2026-03-01T12:00:00Z"}, "sp")
			if r == nil || r.Code != c.code || work != (sso.Work{}) {
				t.Errorf("got %v at the cost %+v, want %s at none", r, work, c.code)
			}
		})
	}
}

const cipherNS = "http://www.w3.org/2001/04/xmlenc#"

// flipBase64 changes a bit in the middle of the last ciphertext.
func flipBase64(doc string) string {
	at := strings.LastIndex(doc, "</xenc:CipherValue>") - 2000
	other := byte('A')
	if doc[at] == 'A' {
		other = 'B'
	}
	return doc[:at] + string(other) + doc[at+1:]
}

// TestPlaintextsShareTheLimits has a plaintext count to what the document may
// have: encryption is no way around them.
func TestPlaintextsShareTheLimits(t *testing.T) {
	part := strings.Repeat("<saml:x/>", 5200)
	outside := strings.Replace(samltest.Template, "<samlp:Status>", "<samlp:Extensions>"+part+"</samlp:Extensions><samlp:Status>", 1)
	grown := samltest.Encrypter{Plain: func(s string) string {
		return strings.Replace(s, "</saml:Subject>", "</saml:Subject>"+part, 1)
	}}
	for _, c := range []struct {
		name, template string
		e              samltest.Encrypter
		code           string
	}{
		{"outside", outside, samltest.Encrypter{}, ""},
		{"inside", samltest.Template, grown, "content_changed"}, // after the assertion was signed
		{"both", outside, grown, "decryption_failed"},
	} {
		by := samltest.Signer{Pair: samltest.Keys("current")}
		_, _, r := counted(t, samltest.Case{
			Response: samltest.FinishSealed(c.template, samltest.SignAssertion, by, c.e), Pems: []string{by.PEM()}, Clock: "2026-03-01T12:00:00Z",
		}, "sp")
		if got := codeOf(r); got != c.code {
			t.Errorf("%s: got %q, want %q", c.name, got, c.code)
		}
	}
}

func codeOf(r *sso.Rejection) string {
	if r == nil {
		return ""
	}
	return r.Code
}

// TestXMLSecDecryptsAndVerifiesTheSame has xmlsec1 decrypt every good case where
// it stands, and verify the signature inside: the canonical form that we verify
// is the one in the document around.
func TestXMLSecDecryptsAndVerifiesTheSame(t *testing.T) {
	program := parts.Program(t, "xmlsec1")
	dir := t.TempDir()
	key := pemFile(t, dir, "sp")
	signed, encrypted := 0, 0
	each(t, "good", func(t *testing.T, c samltest.Case) {
		if !strings.Contains(c.Response, "CipherValue") || xmlsecCannot[c.Name] != "" {
			return
		}
		encrypted++
		file, plain, certificate := filepath.Join(dir, c.Name+".xml"), filepath.Join(dir, c.Name+".plain.xml"), filepath.Join(dir, c.Name+".pem")
		write(t, file, c.Response)
		write(t, certificate, strings.Join(c.Pems, ""))
		run := func(args ...string) []byte {
			out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("xmlsec1 %v: %v\n%s", args, err, out)
			}
			return out
		}
		run("--decrypt", "--privkey-pem", key, "--id-attr:Id", cipherNS+":EncryptedKey", "--output", plain, file)
		text, err := os.ReadFile(plain)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(samltest.NameID+"</")) || bytes.Contains(text, []byte("EncryptedData>")) && c.Name != "encrypted-name-inside" {
			t.Fatalf("got nobody from what xmlsec1 decrypts:\n%s", text)
		}
		// A response that was signed covers the ciphertext, and is not what it
		// was any more. What is signed inside still is.
		_, inside, sealed := strings.Cut(string(text), "EncryptedAssertion>")
		if !sealed || !strings.Contains(inside, "Signature") {
			return
		}
		signed++
		run("--verify", "--pubkey-cert-pem", certificate, "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			"--node-xpath", "//*[local-name()='Assertion']/*[local-name()='Signature']", plain)
	})
	if encrypted < 15 || signed < 10 {
		t.Errorf("got %d encrypted and %d signed cases for xmlsec1, want more", encrypted, signed)
	}
}

// xmlsecCannot are good cases that xmlsec1 does not decrypt, with the reason.
var xmlsecCannot = map[string]string{
	"encrypted-oaep-sha256":               "OAEP by SHA-1 alone, in version 1.2",
	"encrypted-oaep11-sha1-mask-sha512":   "OAEP by SHA-1 alone, in version 1.2",
	"encrypted-oaep11-sha256":             "OAEP by SHA-1 alone, in version 1.2",
	"encrypted-oaep11-sha512-mask-sha384": "OAEP by SHA-1 alone, in version 1.2",
}

// TestWhatXMLSecEncryptsIsRead has xmlsec1 encrypt an assertion.
func TestWhatXMLSecEncryptsIsRead(t *testing.T) {
	program := parts.Program(t, "xmlsec1")
	const xenc, xenc11 = cipherNS, "http://www.w3.org/2009/xmlenc11#"
	for i, c := range []struct{ data, kind, key string }{
		{xenc11 + "aes128-gcm", "aes-128", xenc + "rsa-oaep-mgf1p"},
		{xenc11 + "aes192-gcm", "aes-192", xenc + "rsa-oaep-mgf1p"},
		{xenc11 + "aes256-gcm", "aes-256", xenc + "rsa-oaep-mgf1p"},
		{xenc + "aes128-cbc", "aes-128", xenc + "rsa-oaep-mgf1p"},
		{xenc + "aes256-cbc", "aes-256", xenc + "rsa-oaep-mgf1p"},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.kind), func(t *testing.T) {
			dir := t.TempDir()
			by := samltest.Signer{Pair: samltest.Keys("current")}
			doc := by.Sign(samltest.Template, samltest.AssertionID)
			head, rest, _ := strings.Cut(doc, "<saml:Assertion ")
			inside, tail, _ := strings.Cut(rest, "</saml:Assertion>")
			doc = head + "<saml:EncryptedAssertion><saml:Assertion " + inside + "</saml:Assertion></saml:EncryptedAssertion>" + tail
			template := `<xenc:EncryptedData xmlns:xenc="` + xenc + `" Type="` + xenc + `Element"><xenc:EncryptionMethod Algorithm="` + c.data + `"/>` +
				`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="` + c.key + `"/>` +
				`<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`
			document, form, certificate, result := filepath.Join(dir, "doc.xml"), filepath.Join(dir, "form.xml"), filepath.Join(dir, "sp.pem"), filepath.Join(dir, "out.xml")
			write(t, document, strings.Replace(doc, samltest.Place(samltest.ResponseID), "", 1))
			write(t, form, template)
			write(t, certificate, samltest.Keys("sp").PEM())
			out, err := exec.CommandContext(t.Context(), program, "--encrypt", "--pubkey-cert-pem", certificate, "--session-key", c.kind,
				"--xml-data", document, "--node-xpath", "//*[local-name()='Assertion']", "--output", result, form).CombinedOutput()
			if err != nil {
				t.Fatalf("xmlsec1: %v\n%s", err, out)
			}
			text, err := os.ReadFile(result)
			if err != nil {
				t.Fatal(err)
			}
			response := string(text)
			if strings.HasSuffix(c.data, "-cbc") {
				// It has to be signed outside, too.
				response = strings.Replace(response, "<samlp:Status>", samltest.Place(samltest.ResponseID)+"<samlp:Status>", 1)
				response = by.Sign(response, samltest.ResponseID)
			}
			a, _, r := counted(t, samltest.Case{Response: response, Pems: []string{by.PEM()}, Clock: "2026-03-01T12:00:00Z"}, "sp")
			if r != nil || a.NameID.Value != samltest.NameID {
				t.Errorf("got %v, %v, want %s", a, r, samltest.NameID)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEncryptedCasesAreReadByTheLibraryAlone has goxmldsig alone verify, as it
// does once the two did not agree: then what it parsed is what is decrypted.
func TestEncryptedCasesAreReadByTheLibraryAlone(t *testing.T) {
	g := &sso.Guard{}
	asked := 0
	g.Judges(&asked, errors.New("no"), false)
	honest := encryptedCase(samltest.Encrypter{}, samltest.SignBoth)
	idp := idpOf(t, honest)
	p := providerOf(t, honest, idp)
	p.Guard = g
	if _, err := p.Check(idp, []byte(honest.Response), expectation(idp, moment(t, honest), false)); err == nil || !g.Off() {
		t.Fatalf("got %v, want a disagreement", err)
	}
	g.Judges(&asked, nil, false)
	each(t, "good", func(t *testing.T, c samltest.Case) {
		if !strings.Contains(c.Response, "CipherValue") {
			return
		}
		idp := idpOf(t, c)
		p := providerOf(t, c, idp)
		p.Guard = g
		a, err := p.Check(idp, []byte(c.Response), expectation(idp, moment(t, c), false))
		if err != nil || a.NameID.Value != c.NameID {
			t.Errorf("got %v, %v, want %s", a, err, c.NameID)
		}
	})
}

// BenchmarkCheckEncrypted is what an encrypted response costs beyond its
// signatures: opening our key, an RSA operation with it, and a second pass.
func BenchmarkCheckEncrypted(b *testing.B) {
	c := encryptedCase(samltest.Encrypter{}, samltest.SignBoth)
	idp := idpOf(b, c)
	p := providerOf(b, c, idp)
	p.Guard = &sso.Guard{Sample: func() bool { return false }}
	want := expectation(idp, moment(b, c), false)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Check(idp, []byte(c.Response), want); err != nil {
			b.Fatal(err)
		}
	}
}
