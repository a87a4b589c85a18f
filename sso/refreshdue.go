package sso

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"

	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
)

// The bounds of one Due.
const (
	fetchesAtOnce = 4
	mostFetches   = 500
	mostMailed    = 50 // people of one organization
)

// Due fetches the metadata that nobody fetched for a day, or whose last fetch
// failed and is to be tried again. Two at once do no harm and fetch twice; a
// node that dies leaves what it did not finish due. When the context ends, the
// rest is left to the next one; that is no error.
func (s *Refreshes) Due(ctx context.Context) error {
	due, err := s.Store.DueRefreshes(ctx, s.Now(), mostFetches)
	if err != nil {
		return fmt.Errorf("list metadata to fetch: %w", err)
	}
	todo := make(chan string)
	var mu sync.Mutex
	var failures []error
	var working sync.WaitGroup
	for range min(fetchesAtOnce, len(due)) {
		working.Go(func() {
			for id := range todo {
				if err := s.dueOne(ctx, id); err != nil && ctx.Err() == nil {
					mu.Lock()
					failures = append(failures, fmt.Errorf("refresh %s: %w", id, err))
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range due {
		if ctx.Err() != nil {
			break
		}
		todo <- id
	}
	close(todo)
	working.Wait()
	const most = 5
	return errors.Join(failures[:min(most, len(failures))]...)
}

// dueOne fetches the metadata of one identity provider. What answers comes from
// strangers: if reading it panics, the others are fetched all the same.
func (s *Refreshes) dueOne(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v\n%s", p, debug.Stack())
		}
	}()
	i, err := s.Store.IdP(ctx, id)
	if errors.Is(err, fault.NotFound) || err == nil && (i.State == Deleted || i.IdPMetadataURL == "") {
		return nil
	}
	if err != nil {
		return err
	}
	_, _, err = s.refresh(ctx, i, nil)
	return err
}

// tellOf mails who administers the organization what they have to know of a
// fetch: that a change waits for them, or was made, or that nothing was fetched
// for days. It says how many were mailed.
func (s *Refreshes) tellOf(ctx context.Context, i *IdP, found Trust, was Refresh, r *Refresh, outcome Outcome) (int, error) {
	switch {
	case outcome == Failed && r.tooLong(s.Now()):
		r.Warned = true
		return tell(ctx, s.Store, s.Mail, i.OrganizationID, func(address, organization string) (mail.Message, error) {
			return mail.MetadataFailing{
				Host: hostOf(s.Base), Address: address, Organization: organization, Provider: i.Name,
				Since: r.FailingSince, Link: s.page(i),
			}.Message()
		})
	case outcome == Held && (was.Pending == nil || was.Pending.ID != r.Pending.ID), outcome == Applied:
		difference, err := i.Difference(found)
		if err != nil {
			return 0, err
		}
		var changes []string
		for _, d := range difference {
			changes = append(changes, d.mailed())
		}
		return tell(ctx, s.Store, s.Mail, i.OrganizationID, func(address, organization string) (mail.Message, error) {
			return mail.MetadataChanged{
				Host: hostOf(s.Base), Address: address, Organization: organization, Provider: i.Name,
				Held: outcome == Held, At: s.Now(), Changes: changes, Link: s.page(i),
			}.Message()
		})
	}
	return 0, nil
}

// mailed says what differs, without anything that somebody chose.
func (d FieldChange) mailed() string {
	switch {
	case d.Certificate == nil && d.Field == "saml_idp_url":
		return "another SSO URL"
	case d.Certificate == nil && strings.HasPrefix(d.Field, "saml_idp_slo"):
		return "another logout URL"
	case d.Certificate == nil:
		return "another setting: " + d.Field
	case d.After == "":
		return "a certificate goes: SHA-256 " + d.Certificate.Fingerprint[:32] + "…"
	}
	return "a certificate comes: SHA-256 " + d.Certificate.Fingerprint[:32] + "…"
}

// page is where an administrator sees to an identity provider's metadata.
func (s *Refreshes) page(i *IdP) string { return pageOf(s.Base, i) + "/metadata" }

// pageOf is the console's page of an identity provider.
func pageOf(base string, i *IdP) string {
	return base + "/organization/" + url.PathEscape(i.OrganizationID) + "/identity-providers/" + url.PathEscape(i.ID)
}

// tell mails who administers an organization, and says how many were. Who was
// mailed enough today is left out.
func tell(ctx context.Context, store AdministratorStore, to Mailer, organizationID string, write func(address, organization string) (mail.Message, error)) (told int, err error) {
	if to == nil {
		return 0, nil
	}
	name, addresses, err := store.Administrators(ctx, organizationID, mostMailed)
	if err != nil {
		return 0, err
	}
	for _, address := range addresses {
		m, err := write(address, name)
		if err != nil {
			return told, err
		}
		switch err := to.Queue(ctx, m); {
		case err == nil:
			told++
		case !errors.Is(err, fault.TooMany):
			return told, err
		}
	}
	return told, nil
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Host
}
