package sso

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// The limits of what names an IdP and its keys.
const (
	mostURL            = 2048 // characters of an SSO URL or an entity id
	mostCertificateLen = 16384
	mostCertificates   = 10 // each is tried on each signature
	leastRSABits       = 1024
	soundRSABits       = 2048
	mostRSABits        = 8192 // a larger one makes every login dear
)

// ParseCertificates reads one or several certificates: PEM blocks, also ones
// whose line breaks were lost, with any text between them; or the base64 of
// one without armour, as metadata has it. An empty text holds none. A
// certificate that has expired is taken: what counts is its key. It returns
// fault.Invalid at saml_certificate for anything else, for more than 16384
// bytes or ten certificates, and for keys that we cannot verify with.
func ParseCertificates(text string) ([]*x509.Certificate, error) {
	if len(text) > mostCertificateLen {
		return nil, badCertificate("The certificates have more than %d bytes.", mostCertificateLen)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		return nil, badCertificate("This is not text. Paste the certificate in PEM form.")
	}
	if strings.Contains(text, "PRIVATE KEY") {
		return nil, badCertificate("This holds a private key, which nobody but the identity provider may know. Paste its certificate alone, and replace the key: it has been shown.")
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out []*x509.Certificate
	if !strings.Contains(text, "-----BEGIN") {
		c, err := parseCertificate(text)
		if err != nil {
			return nil, err
		}
		return append(out, c), nil
	}
	for {
		// Not pem.Decode, which passes over a damaged block in silence.
		_, rest, found := strings.Cut(text, "-----BEGIN")
		if !found {
			return out, nil
		}
		label, rest, _ := strings.Cut(rest, "-----")
		body, rest, found := strings.Cut(rest, "-----END"+label+"-----")
		if !found || strings.TrimSpace(label) != "CERTIFICATE" {
			return nil, badCertificate("Each certificate stands between a line BEGIN CERTIFICATE and a line END CERTIFICATE; one does not.")
		}
		c, err := parseCertificate(body)
		if err != nil {
			return nil, err
		}
		if out = addCertificate(out, c); len(out) > mostCertificates {
			return nil, badCertificate("These are more than %d certificates. Paste those that the identity provider signs with, not the authorities that it knows.", mostCertificates)
		}
		text = rest
	}
}

// parseCertificate reads the base64 of one certificate, broken into lines or not.
func parseCertificate(text string) (*x509.Certificate, error) {
	packed := strings.Join(strings.Fields(text), "")
	der, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return nil, badCertificate("The certificate is damaged: it is not base64.").Because(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, badCertificate("The certificate is damaged: it cannot be read.").Because(err)
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < leastRSABits || n > mostRSABits {
			return nil, badCertificate("The certificate's RSA key has %d bits. It needs %d, and may have up to %d.", n, soundRSABits, mostRSABits)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return nil, badCertificate("The certificate's key is on a curve that is not supported: use P-256, P-384 or P-521.")
		}
	default:
		return nil, badCertificate("The certificate's key is neither RSA nor ECDSA.")
	}
	return c, nil
}

func badCertificate(format string, args ...any) *fault.Error {
	return fault.Invalid.Errorf(format, args...).At("saml_certificate")
}

// addCertificate appends c unless it is there already.
func addCertificate(list []*x509.Certificate, c *x509.Certificate) []*x509.Certificate {
	if slices.ContainsFunc(list, c.Equal) {
		return list
	}
	return append(list, c)
}

// sameCertificates reports whether two lists hold the same ones, in any order.
func sameCertificates(a, b []*x509.Certificate) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c *x509.Certificate) bool {
		return !slices.ContainsFunc(b, c.Equal)
	})
}

// checkKeySizes refuses RSA keys that are too small to trust without somebody
// having said that they may be.
func checkKeySizes(list []*x509.Certificate, small bool) error {
	for _, c := range list {
		key, isRSA := c.PublicKey.(*rsa.PublicKey)
		if isRSA && key.N.BitLen() < soundRSABits && !small {
			return badCertificate("The certificate's RSA key has only %d bits. Have the identity provider use %d or more, or allow small keys.", key.N.BitLen(), soundRSABits)
		}
	}
	return nil
}

func encodeCertificates(list []*x509.Certificate) string {
	var b bytes.Buffer
	for _, c := range list {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return strings.TrimSpace(b.String())
}

// without gives the certificates of a list that another one has not.
func without(list, other []*x509.Certificate) (out []*x509.Certificate) {
	for _, c := range list {
		if !slices.ContainsFunc(other, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}

// A CertificateInfo is what people want to know of a certificate.
type CertificateInfo struct {
	Issuer      string // as RFC 2253 writes names
	Subject     string
	Fingerprint string    // SHA-256, in lower-case hexadecimal
	NotBefore   time.Time // UTC
	NotAfter    time.Time // UTC
}

func infoOf(c *x509.Certificate) CertificateInfo {
	return CertificateInfo{c.Issuer.String(), c.Subject.String(), strings.ToLower(fingerprint(c.Raw)), c.NotBefore.UTC(), c.NotAfter.UTC()}
}

// String says everything in one line.
func (c CertificateInfo) String() string {
	return c.Subject + ", SHA-256 " + c.Fingerprint + ", valid from " + c.NotBefore.Format(time.DateOnly) + " to " + c.NotAfter.Format(time.DateOnly)
}

// CertificateInfos describes the IdP's certificates in their order.
func (i *IdP) CertificateInfos() []CertificateInfo {
	var out []CertificateInfo
	for _, c := range i.Certificates {
		out = append(out, infoOf(c))
	}
	return out
}

// checkEntityID takes any name without blanks. By the book it is a URI (SAML
// Core, 8.3.6); in practice it is whatever somebody typed at the IdP. It
// returns fault.Invalid at saml_entity_id.
func checkEntityID(id string) error {
	if utf8.RuneCountInString(id) > mostURL {
		return fault.Invalid.Errorf("An entity ID has at most %d characters.", mostURL).At("saml_entity_id")
	}
	if !utf8.ValidString(id) || strings.ContainsFunc(id, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }) {
		return fault.Invalid.Errorf("An entity ID has no blanks and no invisible characters.").At("saml_entity_id")
	}
	return nil
}

// parseSSOURL takes a URL that browsers may be sent to with a request: https,
// or http on this machine. Over http anybody on the way could put their own
// login page there. It returns fault.Invalid at saml_idp_url.
func parseSSOURL(address string) (*url.URL, error) {
	bad := func(format string, args ...any) (*url.URL, error) {
		return nil, fault.Invalid.Errorf(format, args...).At("saml_idp_url")
	}
	if len(address) > mostURL {
		return bad("A URL has at most %d characters.", mostURL)
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }) {
		return bad("This is not a URL: it holds a blank, or a character that a URL writes in another way.")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return bad("Type a URL that begins with https://.")
	}
	// The host goes into a Content-Security-Policy, where ; , and * mean something.
	if strings.ContainsFunc(strings.ToLower(u.Host), func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.:[]", r) }) {
		return bad("The URL's host name holds a character that host names do not have.")
	}
	if isOddAddress(u.Hostname()) {
		return bad("Write the URL's IP address as four decimal numbers.")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return bad("The URL has to begin with https://. Only on this machine itself, such as on localhost, may it be http.")
	}
	if u.User != nil {
		return bad("The URL must not hold a user name or a password.")
	}
	if strings.Contains(address, "#") {
		return bad("The URL must not hold a fragment: leave out what begins with #.")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return bad("The URL's query, after the question mark, is not well formed.")
	}
	for _, ours := range []string{"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature"} {
		if query.Has(ours) {
			return bad("The URL must not hold the parameter %s, which each request adds.", ours)
		}
	}
	return u, nil
}

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
