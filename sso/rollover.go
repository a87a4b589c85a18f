package sso

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// A Rollover is a change of our keys towards one IdP, in one of its steps: the
// next keys are prepared and stand in our metadata, so that the IdP learns
// them; they are switched to; and what is encrypted to the previous ones is
// accepted for a while, since an IdP learns late.
type Rollover struct {
	NextKeys KeySet    // empty: none are prepared
	SwitchAt time.Time // when NextKeys are switched to by themselves; zero: when somebody says so

	PreviousKeys  KeySet    // empty: there are none
	PreviousUntil time.Time // until when they decrypt
}

// acceptsPrevious reports whether the previous keys decrypt at the moment now.
func (r *Rollover) acceptsPrevious(now time.Time) bool {
	return !r.PreviousKeys.Empty() && now.Before(r.PreviousUntil)
}

// The bounds of a rollover.
const (
	// KeepPrevious is for how long previous keys decrypt unless said otherwise:
	// IdPs that read our metadata by themselves do so daily, and people who have
	// to paste it get a week.
	KeepPrevious = 7 * 24 * time.Hour

	mostKeepPrevious = 90 * 24 * time.Hour
	mostAhead        = 366 * 24 * time.Hour // of a switch by date
)

// Days is a time of so many days, for SwitchKey; more than a year is the same as
// a year, and refused alike.
func Days(n int) time.Duration {
	return time.Duration(max(-1, min(n, 366))) * 24 * time.Hour
}

// A KeyState is where a key of ours is in its life.
type KeyState string

// The states of a key.
const (
	KeyPresent  KeyState = "present"  // signs and decrypts
	KeyNext     KeyState = "next"     // published, decrypts already
	KeyPrevious KeyState = "previous" // decrypts still
)

// An SPCertificate is a certificate of ours towards one IdP, as people want to
// know it.
type SPCertificate struct {
	State       KeyState
	Type        KeyType
	Signs       bool // the IdP verifies our requests with it
	Encrypts    bool // the IdP encrypts to it
	DER         []byte
	Fingerprint string // SHA-256 of DER, in hexadecimal
	NotBefore   time.Time
	NotAfter    time.Time

	SwitchAt time.Time // of KeyNext: when it is switched to by itself; zero: when somebody says so
	Until    time.Time // of KeyPrevious: until when it decrypts
}

// SPCertificates describes our certificates towards the IdP at the moment now:
// the present ones, the next, and the previous until their end. Of an ECDSA key
// that signs comes the RSA key that decrypts after it.
func (i *IdP) SPCertificates(now time.Time) []SPCertificate {
	out := describe(i.present(), SPCertificate{State: KeyPresent})
	out = append(out, describe(i.NextKeys, SPCertificate{State: KeyNext, SwitchAt: i.SwitchAt})...)
	if i.acceptsPrevious(now) {
		out = append(out, describe(i.PreviousKeys, SPCertificate{State: KeyPrevious, Until: i.PreviousUntil})...)
	}
	return out
}

// describe fills in what the certificates of a key set say.
func describe(set KeySet, as SPCertificate) []SPCertificate {
	signs, encrypts, err := set.parse()
	if err != nil {
		return nil
	}
	list := []*x509.Certificate{signs}
	if encrypts != signs {
		list = append(list, encrypts)
	}
	var out []SPCertificate
	for _, c := range list {
		one := as
		sum := sha256.Sum256(c.Raw)
		one.Type, one.DER, one.Fingerprint = typeOf(c), c.Raw, hex.EncodeToString(sum[:])
		one.NotBefore, one.NotAfter = c.NotBefore.UTC(), c.NotAfter.UTC()
		one.Signs, one.Encrypts = c == signs, c == encrypts
		out = append(out, one)
	}
	return out
}

func typeOf(c *x509.Certificate) KeyType {
	key, is := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !is:
		return ECDSAP256
	case key.N.BitLen() > 2048:
		return RSA3072
	}
	return RSA2048
}

// Algorithms lists what our requests can be signed by, the usual one first: by
// the present key, or, before there is one, by the one that is made to fit.
func (i *IdP) Algorithms() []string {
	all := []string{"rsa-sha256", "rsa-sha1", "rsa-sha384", "rsa-sha512", "ecdsa-sha256"}
	signs, _, err := i.present().parse()
	if err != nil {
		return all
	}
	elliptic := typeOf(signs) == ECDSAP256
	return slices.DeleteFunc(all, func(name string) bool { return signatureAlgorithms[name].elliptic != elliptic })
}

// misfit is the refusal of an algorithm that the present key cannot sign by.
func (i *IdP) misfit() *fault.Error {
	have, wanted := "an RSA key", string(ECDSAP256)
	if i.Algorithms()[0] == "ecdsa-sha256" {
		have, wanted = "an ECDSA key", string(RSA2048)
	}
	return fault.Invalid.Errorf("Our key for this authentication method is %s, which signs by %s. For another algorithm, prepare a key of the type %s and switch to it.",
		have, strings.Join(i.Algorithms(), ", "), wanted).Coded("signature_algorithm_misfit")
}

// switchKeys makes the next keys the present ones, and these the previous, for
// a time. Requests are signed by the usual algorithm of the new key, unless it
// can sign by the one that is set.
func (i *IdP) switchKeys(now time.Time, keep time.Duration) {
	before := i.present()
	i.SPCertificate, i.SPKey = i.NextKeys.Certificates, i.NextKeys.Sealed
	i.Rollover = Rollover{}
	if keep > 0 {
		i.PreviousKeys, i.PreviousUntil = before, now.Add(keep).Truncate(time.Second)
	}
	if fits := i.Algorithms(); !slices.Contains(fits, i.SignatureAlgorithm) {
		i.SignatureAlgorithm = fits[0]
	}
}

// A NewKey says which keys to prepare.
type NewKey struct {
	Type     KeyType   // RSA2048 unless said
	SwitchAt time.Time // when they are switched to by themselves; zero: when somebody says so
}

// PrepareKey makes the next keys of an identity provider: from now on our
// metadata has them, and they decrypt. It returns fault.NotFound as Get does,
// fault.Invalid at key_type or switch_at, fault.Conflict if there are next ones
// already, fault.TooMany from Allow, and fault.Unavailable if there was no turn
// to make a key.
func (s *IdPs) PrepareKey(ctx context.Context, by account.Actor, org account.Organization, id string, n NewKey) (*IdP, error) {
	if n.Type == "" {
		n.Type = RSA2048
	}
	now := s.Now()
	switch {
	case !slices.Contains(KeyTypes, n.Type):
		return nil, fault.Invalid.Errorf("Say %s, %s or %s, or leave it out.", RSA2048, RSA3072, ECDSAP256).At("key_type")
	case !n.SwitchAt.IsZero() && (!n.SwitchAt.After(now) || n.SwitchAt.After(now.Add(mostAhead))):
		return nil, fault.Invalid.Errorf("Say a moment in the future, within a year; or leave it out, and switch when the identity provider knows the next key.").At("switch_at")
	}
	i, err := s.Get(ctx, org, id)
	if err != nil {
		return nil, err
	}
	// Making a key is dear: what is refused is refused before it.
	if err := i.noNext(); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, by, org); err != nil {
		return nil, err
	}
	keys, err := s.makeKey(ctx, i.ID, n.Type, now)
	if err != nil {
		return nil, err
	}
	return s.changeKeys(ctx, org, id, func(i *IdP) (audit.Event, error) {
		if err := i.noNext(); err != nil {
			return audit.Event{}, err
		}
		i.NextKeys, i.SwitchAt = keys, n.SwitchAt
		details := audit.Details{"key_type": string(n.Type), "sp_certificate": fingerprints(keys)}
		if !n.SwitchAt.IsZero() {
			details["switch_at"] = n.SwitchAt.UTC().Format(time.RFC3339)
		}
		return by.Did(audit.IdPPrepareKey, i.OrganizationID, i.Target(), details), nil
	})
}

// noNext refuses where next keys are prepared already.
func (i *IdP) noNext() error {
	if i.NextKeys.Empty() {
		return nil
	}
	return fault.Conflict.Errorf("A next key is prepared already, and the identity provider may know it. Switch to it, or cancel it first.").Coded("next_key_exists")
}

// hasNext refuses where none are.
func (i *IdP) hasNext() error {
	if !i.NextKeys.Empty() {
		return nil
	}
	return fault.Conflict.Errorf("No next key is prepared. Prepare one, and let the identity provider read our metadata before you switch.").Coded("no_next_key")
}

// SwitchKey makes the next keys the present ones, which sign from now on. What
// is encrypted to those that were present is accepted for the time keep, up to
// 90 days; nothing, if keep is 0. Keys from before those are forgotten. It
// returns fault.NotFound as Get does, fault.Invalid at keep_previous_days, and
// fault.Conflict if no next keys are prepared.
func (s *IdPs) SwitchKey(ctx context.Context, by account.Actor, org account.Organization, id string, keep time.Duration) (*IdP, error) {
	if keep < 0 || keep > mostKeepPrevious {
		return nil, fault.Invalid.Errorf("Say a number of days from 0 to %d.", mostKeepPrevious/(24*time.Hour)).At("keep_previous_days")
	}
	return s.changeKeys(ctx, org, id, func(i *IdP) (audit.Event, error) {
		if err := i.hasNext(); err != nil {
			return audit.Event{}, err
		}
		return by.Did(audit.IdPSwitchKey, i.OrganizationID, i.Target(), i.switched(s.Now(), keep)), nil
	})
}

// switched does switchKeys, and says what that changed.
func (i *IdP) switched(now time.Time, keep time.Duration) audit.Details {
	before, details := *i, audit.Details{}
	i.switchKeys(now, keep)
	details.Changed("sp_certificate", fingerprints(before.present()), fingerprints(i.present()))
	details.Changed("saml_signature_algorithm", before.SignatureAlgorithm, i.SignatureAlgorithm)
	if keep > 0 {
		details["previous_accepted_until"] = i.PreviousUntil.UTC().Format(time.RFC3339)
	}
	return details
}

// CancelKey drops the next keys. It returns fault.NotFound as Get does, and if
// there are none.
func (s *IdPs) CancelKey(ctx context.Context, by account.Actor, org account.Organization, id string) (*IdP, error) {
	return s.changeKeys(ctx, org, id, func(i *IdP) (audit.Event, error) {
		if i.NextKeys.Empty() {
			return audit.Event{}, fault.NotFound.Errorf("No next key is prepared.").Coded("no_next_key")
		}
		details := audit.Details{"sp_certificate": fingerprints(i.NextKeys)}
		i.NextKeys, i.SwitchAt = KeySet{}, time.Time{}
		return by.Did(audit.IdPCancelKey, i.OrganizationID, i.Target(), details), nil
	})
}

// ForgetKey drops the previous keys at once: what is encrypted to them is not
// accepted any more. It returns fault.NotFound as Get does, and if there are
// none.
func (s *IdPs) ForgetKey(ctx context.Context, by account.Actor, org account.Organization, id string) (*IdP, error) {
	return s.changeKeys(ctx, org, id, func(i *IdP) (audit.Event, error) {
		if !i.acceptsPrevious(s.Now()) {
			return audit.Event{}, fault.NotFound.Errorf("There is no previous key that is accepted still.").Coded("no_previous_key")
		}
		return by.Did(audit.IdPForgetKey, i.OrganizationID, i.Target(), i.forgotten()), nil
	})
}

// forgotten drops the previous keys, and says which they were.
func (i *IdP) forgotten() audit.Details {
	details := audit.Details{"sp_certificate": fingerprints(i.PreviousKeys)}
	i.PreviousKeys, i.PreviousUntil = KeySet{}, time.Time{}
	return details
}

// changeKeys edits the keys of one identity provider while nobody else changes
// anything of the organization, and records the event that edit gives.
func (s *IdPs) changeKeys(ctx context.Context, org account.Organization, id string, edit func(*IdP) (audit.Event, error)) (*IdP, error) {
	var out *IdP
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, org.ID); err != nil {
			return err
		}
		i, err := s.Get(ctx, org, id)
		if err != nil {
			return err
		}
		out = i
		event, err := edit(i)
		if err != nil {
			return err
		}
		return s.saveKeys(ctx, i, event)
	})
	if err != nil {
		return nil, fmt.Errorf("change keys of IdP %s: %w", id, err)
	}
	return out, nil
}

func (s *IdPs) saveKeys(ctx context.Context, i *IdP, event audit.Event) error {
	i.UpdatedAt = s.Now()
	if err := s.Store.SaveKeys(ctx, i); err != nil {
		return err
	}
	return s.Audit.Record(ctx, event)
}

// mostKeysDue is how many identity providers one run of KeepKeys looks after.
const mostKeysDue = 500

// KeepKeys does what is due of all organizations' keys: it switches those whose
// day has come, and forgets the previous ones whose time is over. One that
// fails does not keep the others from being done.
func (s *IdPs) KeepKeys(ctx context.Context) error {
	due, err := s.Store.KeysDue(ctx, s.Now(), mostKeysDue)
	if err != nil {
		return fmt.Errorf("list keys that are due: %w", err)
	}
	var failures []error
	for _, id := range due {
		if err := s.keepKeys(ctx, id); err != nil {
			failures = append(failures, fmt.Errorf("keep keys of IdP %s: %w", id, err))
		}
	}
	return errors.Join(failures...)
}

// keepKeys looks again, in its transaction, what is due of an identity
// provider: somebody may have been faster.
func (s *IdPs) keepKeys(ctx context.Context, id string) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		i, err := s.Store.IdP(ctx, id)
		if err != nil {
			return err
		}
		if err := s.Store.LockOrganization(ctx, i.OrganizationID); err != nil {
			return err
		}
		if i, err = s.Store.IdP(ctx, id); err != nil {
			return err
		}
		now := s.Now()
		did := func(action string, details audit.Details) error {
			return s.saveKeys(ctx, i, audit.Event{
				OrganizationID: i.OrganizationID, Actor: audit.Actor{Name: audit.BySchedule},
				Action: action, Target: i.Target(), Details: details,
			})
		}
		if !i.PreviousKeys.Empty() && !i.acceptsPrevious(now) {
			if err := did(audit.IdPForgetKey, i.forgotten()); err != nil {
				return err
			}
		}
		if i.NextKeys.Empty() || i.SwitchAt.IsZero() || i.SwitchAt.After(now) || i.State == Deleted {
			return nil
		}
		return did(audit.IdPSwitchKey, i.switched(now, KeepPrevious))
	})
}

// fingerprints names the certificates of a key set in the audit log.
func fingerprints(set KeySet) string {
	var out []string
	for _, c := range describe(set, SPCertificate{}) {
		out = append(out, "sha256 "+c.Fingerprint)
	}
	return strings.Join(out, ", ")
}
