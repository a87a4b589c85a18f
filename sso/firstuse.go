package sso

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"gatehouse/audit"
)

// UseStore is what FirstUses needs of storage.
type UseStore interface {
	// UseCertificate notes that a certificate of an identity provider signed
	// an assertion that was believed, at FirstUsedAt, and says whether it is
	// the first one.
	UseCertificate(ctx context.Context, methodID string, k KnownCertificate) (first bool, err error)
}

// FirstUses record the first login by each certificate of an identity
// provider: when a change of certificates really happened, or who signs with a
// key that nobody used before. Only the first two logins by a certificate on a
// node ask the database.
type FirstUses struct {
	Store UseStore
	Now   func() time.Time
	Audit *audit.Log

	mu    sync.Mutex
	known map[[sha256.Size]byte]bool // certificates of methods that were used before
}

// mostUsed bounds what FirstUses remember.
const mostUsed = 10_000

// Used notes that the certificate with this index signed an assertion that was
// believed, in the transaction that ctx carries. A nil FirstUses notes nothing.
func (s *FirstUses) Used(ctx context.Context, i *IdP, index int) error {
	if s == nil {
		return nil
	}
	if index < 0 || index >= len(i.Certificates) {
		return fmt.Errorf("note use of certificate %d of %s: it has %d", index, i.ID, len(i.Certificates))
	}
	c := i.Certificates[index]
	key := sha256.Sum256(append([]byte(i.ID+" "), c.Raw...))
	s.mu.Lock()
	known := s.known[key]
	s.mu.Unlock()
	if known {
		return nil
	}
	info := infoOf(c)
	first, err := s.Store.UseCertificate(ctx, i.ID, KnownCertificate{Side: TheirSide, Fingerprint: info.Fingerprint, EndsAt: info.NotAfter, FirstUsedAt: s.Now()})
	if err != nil {
		return err
	}
	if !first {
		// Only now: the transaction of a first use may come to nothing.
		s.remember(key)
		return nil
	}
	e := event(nil, audit.IdPCertificateUsed, i, audit.Details{
		"sha256": info.Fingerprint, "subject": info.Subject, "not_valid_after": info.NotAfter.Format(time.RFC3339),
	})
	e.Actor = audit.Actor{Name: audit.ByProvider}
	return s.Audit.Record(ctx, e)
}

func (s *FirstUses) remember(key [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= mostUsed {
		s.known = map[[sha256.Size]byte]bool{}
	}
	s.known[key] = true
}
