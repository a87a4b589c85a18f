package domains

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
)

// The bounds of looking again.
const (
	lookEvery   = 24 * time.Hour   // at each record
	lookWithin  = 30 * time.Second // for one
	looksAtOnce = 4
	mostLooks   = 500 // of one Recheck
	mostMailed  = 50  // people of one organization
)

// Recheck looks at the records of verified claims that nobody looked at for a
// day, those first that waited longest, and keeps what that shows:
//
//   - A record that is there ends a count, if there was one.
//   - One that is surely absent begins the count, warns who administers the
//     organization each day, and once it has been so for a week the claim is
//     lost: its links go, and others may verify the name. Members stay managed.
//   - Where nobody knows, nothing changes: silence ends no claim, and begins no
//     count.
//
// What was changed while a look was under way is left alone. Two Rechecks at
// once do no harm and ask twice. When the context ends, the rest is left to the
// next one; that is no error.
func (s *Domains) Recheck(ctx context.Context) error {
	due, err := s.Store.DueDomains(ctx, s.Now().Add(-lookEvery), mostLooks)
	if err != nil {
		return fmt.Errorf("list domains to look at: %w", err)
	}
	todo := make(chan Domain)
	failures := make(chan error, len(due))
	var working sync.WaitGroup
	for range min(looksAtOnce, len(due)) {
		working.Go(func() {
			for d := range todo {
				if err := s.recheck(ctx, d); err != nil && ctx.Err() == nil {
					failures <- fmt.Errorf("look at %s of %s: %w", d.Name, d.OrganizationID, err)
				}
			}
		})
	}
	for _, d := range due {
		if ctx.Err() != nil {
			break
		}
		todo <- d
	}
	close(todo)
	working.Wait()
	close(failures)
	return join(failures)
}

// join makes one error of many, the first few of them in words.
func join(failures <-chan error) (err error) {
	const most = 5
	n := 0
	for f := range failures {
		if n++; n <= most {
			err = errors.Join(err, f)
		}
	}
	if n > most {
		err = errors.Join(err, fmt.Errorf("and %d more", n-most))
	}
	return err
}

// recheck looks at one record. What answers comes from strangers: if reading it
// panics, the others are looked at all the same.
func (s *Domains) recheck(ctx context.Context, d Domain) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v\n%s", p, debug.Stack())
		}
	}()
	bounded, cancel := context.WithTimeout(ctx, lookWithin)
	no := s.look(bounded, d)
	cancel()
	if ctx.Err() != nil {
		return nil // a look that our own end cut off shows nothing
	}
	err = s.change(ctx, d.OrganizationID, func(ctx context.Context) error {
		now, err := s.Store.Domain(ctx, d.OrganizationID, d.ID)
		if err != nil || !sameClaim(now, d) {
			return err
		}
		return s.keepLook(ctx, now, no)
	})
	if errors.Is(err, fault.NotFound) {
		return nil // it was removed meanwhile
	}
	return err
}

// sameClaim says whether nothing happened to a claim between a look and its
// end that the look does not know.
func sameClaim(now, then Domain) bool {
	// Whatever else changes of it comes with a look, or with another id.
	return now.State == Verified && now.Proof == then.Proof && now.CheckedAt.Equal(then.CheckedAt)
}

// keepLook keeps what a look at a verified claim showed: no is why it proved
// nothing, nil if it proved the claim.
func (s *Domains) keepLook(ctx context.Context, d Domain, no *Unproved) error {
	was := d
	d.CheckedAt, d.Finding = s.Now(), ""
	switch {
	case no == nil:
		d.MissingSince = time.Time{}
		if err := s.Store.UpdateDomain(ctx, d); err != nil || was.MissingSince.IsZero() {
			return err
		}
		return s.onTime(ctx, audit.DomainFound, d, nil)
	case no.Look.Unsure:
		d.Finding = no.Why
		return s.Store.UpdateDomain(ctx, d)
	}
	d.Finding = no.Why
	return s.missed(ctx, d, no)
}

// missed counts a record that is surely absent.
func (s *Domains) missed(ctx context.Context, d Domain, no *Unproved) error {
	first := d.MissingSince.IsZero()
	if first {
		d.MissingSince = d.CheckedAt
	}
	ends := d.EndsAt()
	lost := !d.CheckedAt.Before(ends)
	if lost {
		d.State = Lost
	}
	if err := s.Store.UpdateDomain(ctx, d); err != nil {
		return err
	}
	told, err := s.warn(ctx, d, no, ends)
	if err != nil {
		return err
	}
	details := audit.Details{"mails": fmt.Sprint(told)}
	switch {
	case lost:
		details["missing_since"] = d.MissingSince.UTC().Format(time.RFC3339)
		return s.onTime(ctx, audit.DomainLose, d, details)
	case first:
		details["claim_ends_at"] = ends.UTC().Format(time.RFC3339)
		return s.onTime(ctx, audit.DomainMiss, d, details)
	}
	return nil
}

// onTime records what nobody did: its time had come.
func (s *Domains) onTime(ctx context.Context, action string, d Domain, details audit.Details) error {
	return s.Audit.Record(ctx, audit.Event{
		OrganizationID: d.OrganizationID, Actor: audit.Actor{Name: audit.BySchedule},
		Action: action, Target: d.Target(), Details: details,
	})
}

// warn mails who administers the organization of a claim, and says how many
// were. Who was mailed enough today is left out.
func (s *Domains) warn(ctx context.Context, d Domain, no *Unproved, ends time.Time) (told int, err error) {
	if s.Mail == nil {
		return 0, nil
	}
	name, addresses, err := s.Store.Administrators(ctx, d.OrganizationID, mostMailed)
	if err != nil {
		return 0, err
	}
	for _, address := range addresses {
		notice := mail.DomainMissing{
			Host: hostOf(s.Base), Address: address, Organization: name, Domain: d.Name,
			Where: no.Where, Page: d.Proof == ByHTTP, Value: no.Want,
			At: d.CheckedAt, Since: d.MissingSince, Ends: ends,
			Link: s.Base + "/organization/" + url.PathEscape(d.OrganizationID) + "/domains",
		}
		write := notice.Message
		if d.State == Lost {
			write = mail.DomainLost(notice).Message
		}
		m, err := write()
		if err != nil {
			return told, err
		}
		switch err := s.Mail.Queue(ctx, m); {
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
