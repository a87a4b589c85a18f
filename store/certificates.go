package store

import (
	"crypto/x509"
	"slices"
	"sync"

	"gatehouse/sso"
)

// mostParsed is how many texts of certificates are remembered parsed: an
// installation has some hundred, of a few kilobytes each.
const mostParsed = 2000

// certificates remembers what texts of certificates say: each login needs those
// of its identity provider, and reading them costs more than finding them. What
// a text says never changes, so that nothing has to be forgotten for its sake.
type certificates struct {
	mu    sync.Mutex
	known map[string][]*x509.Certificate
}

// parse is sso.ParseCertificates. The list is the caller's; the certificates
// are everybody's.
func (c *certificates) parse(text string) ([]*x509.Certificate, error) {
	c.mu.Lock()
	list, known := c.known[text]
	c.mu.Unlock()
	if known {
		return slices.Clone(list), nil
	}
	list, err := sso.ParseCertificates(text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= mostParsed {
		c.known = map[string][]*x509.Certificate{}
	}
	c.known[text] = list
	return slices.Clone(list), nil
}
