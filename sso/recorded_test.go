package sso_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"gatehouse/sso/internal/samltest"
)

var record = flag.Bool("record", false, "write what xmlsec1 signs anew")

var signatureValues = regexp.MustCompile(`<ds:(DigestValue|SignatureValue)>([^<]*)<`)

// TestAForeignSignerMadeTheRecordedResponse holds the recorded response to
// what xmlsec1 makes today, so that its canonical form is nobody's here.
func TestAForeignSignerMadeTheRecordedResponse(t *testing.T) {
	xmlsec1, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Skip("xmlsec1 is not installed")
	}
	const file = "internal/samltest/recorded/default-prefix.xml"
	from := filepath.Join(t.TempDir(), "unsigned.xml")
	if err := os.WriteFile(from, []byte(samltest.Unsigned()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(xmlsec1, "--sign", "--privkey-pem", "internal/samltest/keys/current.key",
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", from).Output()
	if err != nil {
		t.Fatal(err)
	}
	if *record {
		if err := os.WriteFile(file, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := values(out), values(recorded)
	if len(want) != 2 || len(want[0]) < 40 || len(want[1]) < 340 {
		t.Fatalf("got the values %q recorded, want a digest and a signature", want)
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("got %q, recorded are %q; look why, then go test ./sso -run Recorded -record && go generate ./sso", got, want)
		}
	}
}

// values are those of the signature, without the line ends that programs
// choose.
func values(doc []byte) (out []string) {
	for _, m := range signatureValues.FindAllSubmatch(doc, -1) {
		out = append(out, regexp.MustCompile(`\s|&#13;`).ReplaceAllString(string(m[2]), ""))
	}
	return out
}
