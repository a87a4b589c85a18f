package sso

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"sync/atomic"

	"github.com/beevik/etree"
)

// A Guard says when our own verification of a signature is believed without a
// second opinion: goxmldsig judges the same bytes at the first signature of
// each certificate, and at a sample of those after it. Where the two do not
// agree nobody is let in, somebody is told, and our own is not believed any
// more until the server starts again.
//
// The zero Guard asks for a second opinion always.
type Guard struct {
	// Sample says that this one is to be judged twice; nil: every one is.
	Sample func() bool

	// Alarm is told of a disagreement: of which identity provider, and who
	// would have admitted it. nil: nobody is.
	Alarm func(methodID string, ours bool)

	library func(el *etree.Element, cert *x509.Certificate) (*etree.Element, error) // nil: validate

	off atomic.Bool

	mu    sync.Mutex
	known map[[sha256.Size]byte]bool // certificates of which both judged a signature alike
}

// mostKnown bounds what a Guard remembers.
const mostKnown = 10_000

// Off says whether our own verification is believed no more.
func (g *Guard) Off() bool { return g != nil && g.off.Load() }

// trusts says whether our own judgement is enough.
func (g *Guard) trusts(cert *x509.Certificate) bool {
	if g == nil || g.Sample == nil {
		return false
	}
	key := sha256.Sum256(cert.Raw)
	g.mu.Lock()
	known := g.known[key]
	g.mu.Unlock()
	return known && !g.Sample()
}

// second has the library judge.
func (g *Guard) second(el *etree.Element, cert *x509.Certificate) (*etree.Element, error) {
	if g == nil || g.library == nil {
		return validate(el, cert)
	}
	return g.library(el, cert)
}

// agreed notes that both admitted a signature of a certificate.
func (g *Guard) agreed(cert *x509.Certificate) {
	if g == nil {
		return
	}
	key := sha256.Sum256(cert.Raw)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil || len(g.known) >= mostKnown {
		g.known = map[[sha256.Size]byte]bool{}
	}
	g.known[key] = true
}

// differed notes that the two do not agree.
func (g *Guard) differed(methodID string, ours bool) {
	if g == nil {
		return
	}
	g.off.Store(true)
	if g.Alarm != nil {
		g.Alarm(methodID, ours)
	}
}
