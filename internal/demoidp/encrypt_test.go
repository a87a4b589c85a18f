package demoidp

import (
	"strings"
	"testing"
)

// Of AES-GCM the library knows keys of 128 bits alone.
func TestOthersDecryptWhatIsEncrypted(t *testing.T) {
	p := newIdP(t)
	receiver, err := New("https://sp.test")
	if err != nil {
		t.Fatal(err)
	}
	sp := crewjamSP(t, p)
	sp.Key, sp.Certificate = receiver.Key, receiver.Certificate
	for _, sign := range []Signing{SignResponse, SignAssertion, SignBoth} {
		r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[1])
		r.Sign, r.Encrypt = sign, &Encryption{To: receiver.Certificate, CBC: true}
		doc, err := p.Respond(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(doc), "bob@acme.test") {
			t.Errorf("signed %s: the name can be read", sign)
		}
		a, err := sp.ParseXMLResponse(doc, []string{"_request"}, sp.AcsURL)
		if err != nil || a.Subject.NameID.Value != "bob@acme.test" {
			t.Errorf("signed %s: got %+v, %v, want Bob", sign, a, err)
		}
	}
}
