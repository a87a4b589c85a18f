package sso

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // rsa-sha1, for IdPs that know nothing newer
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/url"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// A Request is a login on its way to an IdP, for a browser to carry.
type Request struct {
	ID      string // of the AuthnRequest: the ticket
	Binding Binding
	URL     string  // where the browser goes: with the request in its query (Redirect), or by POST with Form
	Form    []Field // for Post: SAMLRequest and RelayState
	Body    []byte  // for SOAP: what our server posts to URL by itself
	Origin  string  // of URL, as in https://idp.example.com, for the page's Content-Security-Policy
}

// A Field is one field of a form.
type Field struct{ Name, Value string }

// The algorithms for our requests, by the names that settings have for them.
var (
	signatureAlgorithms = map[string]algorithm{
		"rsa-sha1":     {uri: "http://www.w3.org/2000/09/xmldsig#rsa-sha1", hash: crypto.SHA1},
		"rsa-sha256":   {uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", hash: crypto.SHA256},
		"rsa-sha384":   {uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", hash: crypto.SHA384},
		"rsa-sha512":   {uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", hash: crypto.SHA512},
		"ecdsa-sha256": {uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", hash: crypto.SHA256, elliptic: true},
	}
	digestAlgorithms = map[string]algorithm{
		"sha1":   {uri: "http://www.w3.org/2000/09/xmldsig#sha1", hash: crypto.SHA1},
		"sha256": {uri: "http://www.w3.org/2001/04/xmlenc#sha256", hash: crypto.SHA256},
		"sha384": {uri: "http://www.w3.org/2001/04/xmldsig-more#sha384", hash: crypto.SHA384},
		"sha512": {uri: "http://www.w3.org/2001/04/xmlenc#sha512", hash: crypto.SHA512},
	}
)

type algorithm struct {
	uri      string
	hash     crypto.Hash
	elliptic bool // it takes an ECDSA key
}

// The contexts that RequestAuthnContext asks for. AD FS, which knows no order
// of contexts, has to be told that being logged in to Windows is as good.
const (
	passwordContext = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	windowsContext  = "urn:federation:authentication:windows"
)

// Request writes an AuthnRequest (SAML Core, 3.4.1) that asks the IdP to log
// the person of this ticket in, signed if the settings say so. Its ID carries
// the ticket and RelayState names the flow. It returns fault.Conflict if
// nobody may come in through the IdP, and if its SSO URL leads back to us.
func (p *Provider) Request(i *IdP, t Ticket, now time.Time) (*Request, error) {
	if !i.Admits() {
		return nil, fault.Conflict.Errorf("This identity provider is not in use: it is disabled, or not configured completely.")
	}
	target, err := parseSSOURL(i.SSOURL)
	if err != nil {
		return nil, fmt.Errorf("write request to %s: %w", i.ID, err)
	}
	// It was checked when it was set; the public URL may have changed since.
	if err := checkTarget(target, i.Base, p.Base); err != nil {
		return nil, fault.Conflict.Errorf("This identity provider is not in use: its SSO URL leads to Gatehouse itself.").Because(err)
	}
	r := &Request{
		ID:      p.RequestID(i.ID, t),
		Binding: i.Binding,
		Origin:  target.Scheme + "://" + target.Host,
	}
	if i.Binding == Post {
		err = p.post(r, i, t, now)
	} else {
		err = p.redirect(r, i, t, now, target.RawQuery != "" || target.ForceQuery)
	}
	if err != nil {
		return nil, fmt.Errorf("write request to %s: %w", i.ID, err)
	}
	return r, nil
}

// redirect puts the request into a query (SAML Bindings, 3.4.4). What is
// signed is that part of the query, byte for byte as it is sent.
func (p *Provider) redirect(r *Request, i *IdP, t Ticket, now time.Time, hasQuery bool) error {
	separator := "?"
	if hasQuery {
		separator = "&"
	}
	document := i.requestHead(r.ID, now)
	document.requestTail(i)
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflate(document.b))) +
		"&RelayState=" + url.QueryEscape(t.FlowID)
	if i.SignRequests {
		var err error
		if query, err = p.signQuery(i, query); err != nil {
			return err
		}
	}
	r.URL = i.SSOURL + separator + query
	return nil
}

// signQuery adds to a query the signature of it.
func (p *Provider) signQuery(i *IdP, query string) (string, error) {
	a, known := signatureAlgorithms[i.SignatureAlgorithm]
	if !known {
		return "", fmt.Errorf("unknown signature algorithm %q", i.SignatureAlgorithm)
	}
	query += "&SigAlg=" + url.QueryEscape(a.uri)
	signature, err := p.sign(i, a, []byte(query))
	if err != nil {
		return "", err
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}

// post puts the request into a form (SAML Bindings, 3.5.4), with an enveloped
// signature after Issuer, where the schema wants it.
func (p *Provider) post(r *Request, i *IdP, t Ticket, now time.Time) error {
	document := i.requestHead(r.ID, now)
	if i.SignRequests {
		unsigned := i.requestHead(r.ID, now)
		unsigned.requestTail(i)
		signature, err := p.envelope(i, r.ID, unsigned.b)
		if err != nil {
			return err
		}
		document.b = append(document.b, signature...)
	}
	document.requestTail(i)
	r.URL = i.SSOURL
	r.Form = []Field{
		{"SAMLRequest", base64.StdEncoding.EncodeToString(document.b)},
		{"RelayState", t.FlowID},
	}
	return nil
}

// requestHead begins an AuthnRequest, up to and with its Issuer.
func (i *IdP) requestHead(id string, now time.Time) *xmlWriter {
	w := &xmlWriter{b: make([]byte, 0, 1024)}
	attributes := []string{"xmlns:samlp", protocolNS,
		"AssertionConsumerServiceURL", i.ACSURL(),
		"Destination", i.SSOURL}
	if i.ForceAuthn {
		attributes = append(attributes, "ForceAuthn", "true")
	}
	attributes = append(attributes,
		"ID", id,
		"IssueInstant", now.UTC().Format("2006-01-02T15:04:05Z"),
		"ProtocolBinding", postBinding,
		"Version", "2.0")
	w.open("samlp:AuthnRequest", attributes...)
	w.leaf("saml:Issuer", i.MetadataURL(), "xmlns:saml", assertionNS)
	return w
}

// requestTail ends the AuthnRequest that requestHead began.
func (w *xmlWriter) requestTail(i *IdP) {
	// No format is asked for unless somebody says so: which name an IdP gives is
	// configured there, and many refuse to give another. AD FS is not even asked
	// to make one up.
	switch {
	case i.NameIDFormat != "":
		w.leaf("samlp:NameIDPolicy", "", "AllowCreate", "true", "Format", i.NameIDFormat)
	case i.Variant != "adfs":
		w.leaf("samlp:NameIDPolicy", "", "AllowCreate", "true")
	}
	if i.RequestAuthnContext || len(i.AskContexts) > 0 {
		comparison, contexts := "minimum", []string{passwordContext}
		switch {
		case len(i.AskContexts) > 0:
			comparison, contexts = "exact", i.AskContexts
		case i.Variant == "adfs":
			comparison, contexts = "exact", []string{passwordContext, windowsContext}
		}
		w.open("samlp:RequestedAuthnContext", "Comparison", comparison)
		for _, c := range contexts {
			w.leaf("saml:AuthnContextClassRef", c, "xmlns:saml", assertionNS)
		}
		w.close("samlp:RequestedAuthnContext")
	}
	w.close("samlp:AuthnRequest")
}

// envelope writes the signature of a message of ours with this id, which is
// given in canonical form (XML Signature 1.1, 4). It is written by hand because goxmldsig digests with the hash that it
// signs with, and the settings name two.
func (p *Provider) envelope(i *IdP, id string, unsigned []byte) ([]byte, error) {
	a, known := signatureAlgorithms[i.SignatureAlgorithm]
	d, knownDigest := digestAlgorithms[i.DigestAlgorithm]
	if !known || !knownDigest {
		return nil, fmt.Errorf("unknown algorithms %q and %q", i.SignatureAlgorithm, i.DigestAlgorithm)
	}
	info := &xmlWriter{}
	info.open("ds:SignedInfo", "xmlns:ds", signatureNS)
	info.leaf("ds:CanonicalizationMethod", "", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")
	info.leaf("ds:SignatureMethod", "", "Algorithm", a.uri)
	info.open("ds:Reference", "URI", "#"+id)
	info.open("ds:Transforms")
	info.leaf("ds:Transform", "", "Algorithm", signatureNS+"enveloped-signature")
	info.leaf("ds:Transform", "", "Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")
	info.close("ds:Transforms")
	info.leaf("ds:DigestMethod", "", "Algorithm", d.uri)
	info.leaf("ds:DigestValue", base64.StdEncoding.EncodeToString(d.sum(unsigned)))
	info.close("ds:Reference")
	info.close("ds:SignedInfo")
	signature, err := p.sign(i, a, info.b)
	if err != nil {
		return nil, err
	}
	w := &xmlWriter{}
	w.open("ds:Signature", "xmlns:ds", signatureNS)
	w.b = append(w.b, info.b...)
	w.leaf("ds:SignatureValue", base64.StdEncoding.EncodeToString(signature))
	w.open("ds:KeyInfo")
	w.open("ds:X509Data")
	w.leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(i.SigningCertificate()))
	w.close("ds:X509Data")
	w.close("ds:KeyInfo")
	w.close("ds:Signature")
	return w.b, nil
}

func (a algorithm) sum(data []byte) []byte {
	h := a.hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// sign signs with the present key. A signature by ECDSA is r and s, each as
// long as the curve's order, in both bindings (XML Signature 1.1, 6.4.3): the
// identifier of the algorithm means that form wherever it is used.
func (p *Provider) sign(i *IdP, a algorithm, data []byte) ([]byte, error) {
	keys, err := p.openKeys(i.ID, i.present())
	if err != nil {
		return nil, err
	}
	switch key := keys.signs.(type) {
	case *rsa.PrivateKey:
		if !a.elliptic {
			return rsa.SignPKCS1v15(rand.Reader, key, a.hash, a.sum(data))
		}
	case *ecdsa.PrivateKey:
		if !a.elliptic {
			break
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, a.sum(data))
		if err != nil {
			return nil, err
		}
		half := (key.Params().N.BitLen() + 7) / 8
		signature := make([]byte, 2*half)
		r.FillBytes(signature[:half])
		s.FillBytes(signature[half:])
		return signature, nil
	}
	return nil, fmt.Errorf("sign for %s: the key is not one for %s", i.ID, a.uri)
}

// deflaters keeps what deflate works with: most of a megabyte, which is too
// much to make anew for each of a thousand logins a second.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}}

// deflate compresses as RFC 1951 says, without a header.
func deflate(data []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(data))
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	w.Write(data) // a bytes.Buffer takes everything
	w.Close()
	return out.Bytes()
}
