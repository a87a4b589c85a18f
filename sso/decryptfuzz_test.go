package sso_test

import (
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"

	"crypto/x509"

	"gatehouse/sso/internal/samltest"
)

func pemFile(t *testing.T, dir, name string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(samltest.Keys(name).Key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+".key")
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return file
}

// FuzzDecrypt encrypts anything to us, as anybody can, and changes the
// ciphertext. Nothing panics; it costs one RSA operation at most, and one more
// for the name of a proven assertion; what comes of an unsigned response is
// believed only if it was signed inside, which here means that it says what the
// seeds say.
func FuzzDecrypt(f *testing.F) {
	by := samltest.Signer{Pair: samltest.Keys("current")}
	honest := by.Sign(samltest.Template, samltest.AssertionID)
	_, rest, _ := strings.Cut(honest, "<saml:Assertion ")
	inside, _, _ := strings.Cut(rest, "</saml:Assertion>")
	plain := "<saml:Assertion " + inside + "</saml:Assertion>"
	for _, seed := range []string{plain, "", "<a/>", plain + plain, "<!-- -->", "<!DOCTYPE a>" + plain,
		strings.ReplaceAll(plain, "alice", "mallory"), strings.Replace(plain, "_assertion-1", samltest.ResponseID, 1),
		"<saml:EncryptedAssertion>" + samltest.Encrypter{}.Encrypt(plain) + "</saml:EncryptedAssertion>"} {
		f.Add(seed, -1, byte(0), -1, byte(0), byte(0))
		f.Add(seed, 0, byte(1), -1, byte(0), byte(1))
		f.Add(seed, -1, byte(0), 3, byte(9), byte(2))
		f.Add(seed, 1000, byte(7), 9, byte(0), byte(3))
	}
	f.Fuzz(func(t *testing.T, plain string, at int, with byte, keyAt int, keyWith, how byte) {
		change := func(at int, with byte) func([]byte) []byte {
			return func(b []byte) []byte {
				switch {
				case at < 0 || len(b) == 0:
				case with == 0:
					return b[:at%len(b)]
				default:
					b[at%len(b)] ^= with
				}
				return b
			}
		}
		e := samltest.Encrypter{
			Data:    []string{"aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"}[how%4],
			Plain:   func(string) string { return plain },
			Content: change(at, with), Wrapped: change(keyAt, keyWith),
		}
		cbc := how%4 > 1
		// CBC is not looked at unless the response is signed; then the
		// attacker is the identity provider itself.
		sign := samltest.SignNone
		if cbc {
			sign = samltest.SignResponse
		}
		c := encryptedCase(e, sign)
		c.WantSigned = cbc
		a, work, r := counted(t, c, "sp")
		if work.RSA > 2 || work.Bytes > 2*len(c.Response) {
			t.Fatalf("got the cost %+v", work)
		}
		if r != nil {
			if r.Code == "" || r.Message == "" || r.Remedy == "" && r.Code != "unknown_request" {
				t.Fatalf("got the rejection %+v, want a whole one", r)
			}
			if r.Code == "decryption_failed" && (r.Expected != "" || r.Got != "") {
				t.Fatalf("got the rejection %+v, which says why", r)
			}
			if at >= 0 && !cbc && len(plain) > 0 && with != 0 && r.Code != "decryption_failed" {
				t.Fatalf("got %v of a changed ciphertext", r)
			}
			return
		}
		if a.ID != samltest.AssertionID || a.NameID.Value != samltest.NameID || a.Email != samltest.NameID {
			t.Fatalf("got %s about %q, which nobody signed", a.ID, a.NameID.Value)
		}
	})
}
