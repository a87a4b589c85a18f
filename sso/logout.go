package sso

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
)

// SOAP is the binding for what two servers say to each other without a browser
// (SAML Bindings, 3.2). Only logouts use it.
const SOAP Binding = "soap"

// The limits of a logout message. An honest one has some 4 KiB.
const (
	MostLogout      = 64 << 10  // bytes of the XML document, inflated
	MostLogoutQuery = 32 << 10  // bytes of the query that carries one
	MostLogoutForm  = 128 << 10 // bytes of the form that carries one
	mostRelayState  = 1024      // bytes; SAML Bindings, 3.4.3, says 80
	mostIndexes     = 100       // SessionIndex elements in one request
)

// A LogoutMessage is a LogoutRequest or a LogoutResponse as it arrived. Nothing
// of it is believed yet.
type LogoutMessage struct {
	Binding    Binding
	Answer     bool   // it came as a LogoutResponse; not known of SOAP
	RelayState string // to be given back as it is, with a response to this alone

	raw   []byte       // the XML document
	query *signedQuery // of Redirect
}

// A signedQuery is the part of a query that a signature is about, octet by
// octet as it came.
type signedQuery struct {
	octets    string
	algorithm string // SigAlg; empty if it was not said
	signature string // base64; empty if there is none
}

// The names of the parameters, as every binding has them.
const (
	requestParameter  = "SAMLRequest"
	responseParameter = "SAMLResponse"
	relayParameter    = "RelayState"
)

// ReadLogoutQuery takes a message from the query of a GET as it came (SAML
// Bindings, 3.4). An error is a *Rejection.
func ReadLogoutQuery(raw string) (*LogoutMessage, error) {
	if len(raw) > MostLogoutQuery {
		return nil, reject("logout_too_large", "a query of at most 32768 bytes", strconv.Itoa(len(raw))+" bytes")
	}
	parts, r := queryParts(raw)
	if r != nil {
		return nil, r
	}
	name, r := whichParameter(func(name string) bool { _, there := parts[name]; return there })
	if r != nil {
		return nil, r
	}
	if encoding := parts["SAMLEncoding"].value; encoding != "" && encoding != deflateEncoding {
		return nil, reject("logout_parameters", deflateEncoding, encoding)
	}
	m := &LogoutMessage{Binding: Redirect, Answer: name == responseParameter, query: &signedQuery{}}
	packed, r := decodeLogout(parts[name].value)
	if r != nil {
		return nil, r
	}
	if m.raw, r = inflateLogout(packed); r != nil {
		return nil, r
	}
	// The order is fixed, whatever the order in the query was (3.4.4.1). What is
	// escaped, and how, is the sender's choice, so that the octets are theirs.
	m.query.octets = name + "=" + parts[name].raw
	if relay, there := parts[relayParameter]; there {
		m.query.octets += "&" + relayParameter + "=" + relay.raw
		m.RelayState = relay.value
	}
	m.query.octets += "&SigAlg=" + parts["SigAlg"].raw
	m.query.algorithm, m.query.signature = parts["SigAlg"].value, parts["Signature"].value
	return m, checkRelayState(m.RelayState)
}

const deflateEncoding = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

// A queryPart is the value of one parameter: as it came, and as it is meant.
type queryPart struct{ raw, value string }

// queryParts reads the parameters that matter. Each may stand there once, under
// its name as it is written, so that whoever reads the query reads the same.
func queryParts(raw string) (map[string]queryPart, *Rejection) {
	out := map[string]queryPart{}
	for piece := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(piece, "=")
		meant, err := url.QueryUnescape(name)
		if err != nil {
			return nil, reject("logout_parameters", "a query", "a name that is not escaped rightly")
		}
		switch meant {
		case requestParameter, responseParameter, relayParameter, "SigAlg", "Signature", "SAMLEncoding":
		default:
			continue
		}
		if meant != name {
			return nil, reject("logout_parameters", meant, "the same in another form")
		}
		if _, again := out[name]; again {
			return nil, reject("logout_parameters", "one "+name, "several")
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			return nil, reject("logout_parameters", name+" escaped rightly", "something else")
		}
		out[name] = queryPart{value, plain}
	}
	return out, nil
}

// whichParameter says which of the two messages there is.
func whichParameter(there func(name string) bool) (string, *Rejection) {
	switch request, response := there(requestParameter), there(responseParameter); {
	case request && response:
		return "", reject("logout_parameters", requestParameter+" or "+responseParameter, "both")
	case request:
		return requestParameter, nil
	case response:
		return responseParameter, nil
	}
	return "", reject("logout_empty", "", "")
}

// ReadLogoutForm takes a message from a form (SAML Bindings, 3.5). An error is a
// *Rejection.
func ReadLogoutForm(form url.Values) (*LogoutMessage, error) {
	for _, name := range []string{requestParameter, responseParameter, relayParameter} {
		if len(form[name]) > 1 {
			return nil, reject("logout_parameters", "one "+name, "several")
		}
	}
	name, r := whichParameter(form.Has)
	if r != nil {
		return nil, r
	}
	m := &LogoutMessage{Binding: Post, Answer: name == responseParameter, RelayState: form.Get(relayParameter)}
	if m.raw, r = decodeLogout(form.Get(name)); r != nil {
		return nil, r
	}
	return m, checkRelayState(m.RelayState)
}

// ReadLogoutSOAP takes a message from the body of a POST by another server, or
// of its answer to one of ours (SAML Bindings, 3.2). An error is a *Rejection.
func ReadLogoutSOAP(body []byte) (*LogoutMessage, error) {
	if len(body) > MostLogout {
		return nil, reject("logout_too_large", "at most 65536 bytes", strconv.Itoa(len(body))+" bytes")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, reject("logout_empty", "", "")
	}
	return &LogoutMessage{Binding: SOAP, raw: body}, nil
}

// checkRelayState gives an untyped nil where all is well.
func checkRelayState(relay string) error {
	if len(relay) > mostRelayState {
		return reject("logout_parameters", "a RelayState of at most 1024 bytes", strconv.Itoa(len(relay))+" bytes")
	}
	return nil
}

// decodeLogout decodes base64 in which line breaks and blanks do not count.
func decodeLogout(text string) ([]byte, *Rejection) {
	text = compact(text)
	if text == "" {
		return nil, reject("logout_empty", "", "")
	}
	if base64.StdEncoding.DecodedLen(len(text)) > MostLogout+2 {
		return nil, reject("logout_too_large", "at most 65536 bytes", strconv.Itoa(len(text))+" characters of base64")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, reject("logout_not_base64", "", "")
	}
	if len(raw) > MostLogout {
		return nil, reject("logout_too_large", "at most 65536 bytes", strconv.Itoa(len(raw))+" bytes")
	}
	return raw, nil
}

// inflateLogout undoes deflate (RFC 1951), and stops where an honest message would
// have ended long before: a bomb costs what the limit costs.
func inflateLogout(packed []byte) ([]byte, *Rejection) {
	from := bytes.NewReader(packed)
	reader := flate.NewReader(from)
	defer reader.Close()
	raw, err := io.ReadAll(io.LimitReader(reader, MostLogout+1))
	if len(raw) > MostLogout {
		return nil, reject("logout_too_large", "at most 65536 bytes inflated", "more")
	}
	if err != nil {
		got := "something else"
		if errors.Is(err, io.ErrUnexpectedEOF) {
			got = "a stream that is cut off"
		}
		return nil, reject("logout_not_deflated", "a stream of RFC 1951", got)
	}
	if from.Len() > 0 {
		return nil, reject("logout_not_deflated", "a stream of RFC 1951 and nothing behind it", strconv.Itoa(from.Len())+" bytes more")
	}
	if len(raw) == 0 {
		return nil, reject("logout_empty", "", "")
	}
	return raw, nil
}
