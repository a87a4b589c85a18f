package e2e_test

import (
	"strings"
	"testing"
)

// How each identity provider of the matrix is told to answer.

func (s *ssp) describe(t testing.TB) []byte { return s.metadata(t) }

func (s *ssp) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	s.register(t, sspSP{
		EntityID: p.Metadata, ACSURL: p.ACS, Certificate: spCertificate(t, p),
		SignResponse: w.signsResponse(), SignAssertion: w.signsAssertion(), Encrypt: w.sealed, CheckRequests: w.checked,
	})
}

func (s *lemonldap) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	sign := 0
	if w.signsResponse() {
		sign = 1
	}
	s.register(t, p, lemonldapSP{Sign: &sign, Encrypt: w.sealed, CheckRequests: w.checked})
}

func (s *pysaml2) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	s.register(t, p, pysaml2SP{Options: signing(w.signsResponse(), w.signsAssertion(), "256"), CheckRequests: w.checked})
}

func (s *samlp) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	sp := samlpSP{Options: options{"signResponse": w.signsResponse(), "signAssertion": w.signsAssertion()}}
	if w.sealed != "" {
		sp.Encrypt = spCertificatePEM(t, p)
	}
	if w.checked {
		sp.CheckRequests = spCertificatePEM(t, p)
	}
	s.register(t, p, sp)
}

func (s *samlify) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	sp := samlifySP{Sign: strings.TrimSuffix(w.signed, " signed"), CheckRequests: w.checked}
	if w.sealed != "" {
		sp.Encrypt = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	}
	s.register(t, p, sp)
}

func (k *keycloak) answerIn(t testing.TB, p provider, w way) {
	t.Helper()
	said := map[bool]string{false: "false", true: "true"}
	c := kcClient{
		"saml.server.signature": said[w.signsResponse()], "saml.assertion.signature": said[w.signsAssertion()],
		"saml.client.signature": said[w.checked], "saml.encrypt": said[w.sealed != ""],
	}
	if w.sealed != "" {
		c["saml.encryption.certificate"] = "OURS"
	}
	k.register(t, p, c)
}
