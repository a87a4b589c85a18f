package sso

import (
	"context"
	"net/http"

	"gatehouse/internal/fetch"
)

// A Backchannel speaks to identity providers without a browser. Their addresses
// are strangers', as those of metadata are.
type Backchannel struct{ client *fetch.Client }

// NewBackchannel reaches what metadata is fetched from, in the same time.
func NewBackchannel(metadata *fetch.Client) *Backchannel {
	c := *metadata
	c.Most = MostLogout
	return &Backchannel{&c}
}

// PostSOAP posts a SOAP message and gives the answer, of at most MostLogout
// bytes (SAML Bindings, 3.2.3). It implements login.Backchannel.
func (b *Backchannel) PostSOAP(ctx context.Context, address string, body []byte) ([]byte, error) {
	return b.client.Post(ctx, address, http.Header{
		"Content-Type": {"text/xml; charset=utf-8"},
		"Soapaction":   {`"http://www.oasis-open.org/committees/security"`},
	}, body)
}
