package demoidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

// FuzzRequest looks for a deflated request that is more than refused: what
// comes out of it is bounded, whatever goes in.
func FuzzRequest(f *testing.F) {
	const request = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://sp.test/metadata</saml:Issuer></samlp:AuthnRequest>`
	for _, doc := range []string{request, strings.Repeat("<a>", 10_000), strings.Repeat(" ", 10<<20), ""} {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestCompression)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(doc)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), "state")
	}
	idp, err := New("https://idp.acme.test")
	if err != nil {
		f.Fatal(err)
	}
	idp.Register(SP{EntityID: "https://sp.test/metadata", ACSURL: "https://sp.test/acs"})
	f.Fuzz(func(t *testing.T, packed []byte, relay string) {
		q, err := idp.ReadRedirect(url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(packed)}, "RelayState": {relay}})
		if err != nil {
			if k := fault.Of(err).Kind; k != fault.Invalid && k != fault.Denied {
				t.Errorf("got %s (%v), want invalid or denied", k, err)
			}
			return
		}
		if q.SP.ACSURL != "https://sp.test/acs" {
			t.Errorf("got an answer sent to %s", q.SP.ACSURL)
		}
	})
}
