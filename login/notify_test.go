package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/mail"
	"gatehouse/login"
)

// A box is a Mailer that remembers, or refuses.
type box struct {
	mails []mail.Message
	err   error
}

func (b *box) Queue(_ context.Context, m mail.Message) error {
	if b.err != nil {
		return b.err
	}
	b.mails = append(b.mails, m)
	return nil
}

func TestALinkIsToldToAProvedAddress(t *testing.T) {
	l, inbox := newLinker(newWorld(t)), &box{}
	l.Mail = inbox
	flow := l.begin(boss)
	if _, err := l.finish(flow, false); err != nil || len(inbox.mails) != 0 {
		t.Fatalf("asked: got %v and %d mails, want a question and none", err, len(inbox.mails))
	}
	_, err := l.finish(flow, true)
	must(t, err)
	if len(inbox.mails) != 1 {
		t.Fatalf("got %d mails, want one", len(inbox.mails))
	}
	m := inbox.mails[0]
	if m.To != adminMail || m.Kind != mail.Linked {
		t.Errorf("got a %s to %s, want the notice of a link to %s", m.Kind, m.To, adminMail)
	}
	for _, want := range []string{"IdP of Acme", `"Acme"`, client.IP.String(), "not you?"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("got the text %q, want %q in it", m.Text, want)
		}
	}
}

func TestALinkOfAnUnprovedAddressIsNotTold(t *testing.T) {
	l, inbox := newWorld(t).unprovedLinker("una@acme.test"), &box{}
	l.Mail = inbox
	flow := l.begin(boss)
	_, err := l.finish(flow, true)
	must(t, err)
	if len(inbox.mails) != 0 {
		t.Errorf("got %d mails, want none: anybody could have given the address", len(inbox.mails))
	}
}

func TestAFullMailboxDoesNotUndoALinkAndABrokenQueueDoes(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		linked bool
		notice string // what the event of the link says of it
	}{
		"room":   {nil, true, ""},
		"full":   {fault.TooMany.Errorf("Enough."), true, "not_sent"},
		"broken": {errors.New("the queue is gone"), false, ""},
	} {
		l := newLinker(newWorld(t))
		l.Mail = &box{err: c.err}
		_, err := l.finish(l.begin(boss), true)
		if (err == nil) != c.linked {
			t.Errorf("%s: got %v, want linked %v", name, err, c.linked)
		}
		_, err = l.Store.UserByIdentity(t.Context(), l.sso.ID, "attribute:username", "boss")
		if (err == nil) != c.linked {
			t.Errorf("%s: got %v, want linked %v", name, err, c.linked)
		}
		events, err := l.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.IdentityLink}, "", 10)
		must(t, err)
		if (len(events) == 1) != c.linked || c.linked && events[0].Details["notice"] != c.notice {
			t.Errorf("%s: got the events %+v, want one with the notice %q where it was linked", name, events, c.notice)
		}
	}
}

func TestWhoeverOwnsAnAccountIsToldThatAWayIntoItChanged(t *testing.T) {
	change := func(l *linker) error {
		_, _, err := l.ChangePassword(t.Context(), l.present, adminPassword, nextPassword, nil, client)
		return err
	}
	cut := func(l *linker, id string) error {
		_, err := l.Unlink(t.Context(), l.present, id, adminPassword, nil, client)
		return err
	}
	cutPassword := func(l *linker) error { return cut(l, login.PasswordWay) }
	cutLink := func(l *linker) error { return cut(l, l.sso.ID) }
	for name, c := range map[string]struct {
		do     func(l *linker) error
		action string
		want   []string
	}{
		"the password changed": {change, audit.UserChangePassword, []string{"The password was changed."}},
		"the password cut":     {cutPassword, audit.IdentityUnlink, []string{"The password was removed"}},
		"a link cut":           {cutLink, audit.IdentityUnlink, []string{"The link to an identity provider was cut", `"IdP of Acme"`, `"Acme"`}},
	} {
		t.Run(name, func(t *testing.T) {
			l, inbox := linked(newWorld(t)), &box{}
			l.Mail = inbox
			must(t, c.do(l))
			if len(inbox.mails) != 1 || inbox.mails[0].Kind != mail.Notice || inbox.mails[0].To != adminMail {
				t.Fatalf("got the mails %+v, want one notice to %s", inbox.mails, adminMail)
			}
			for _, want := range append(c.want, client.IP.String(), "not you?") {
				if !strings.Contains(inbox.mails[0].Text, want) {
					t.Errorf("got the text %q, want %q in it", inbox.mails[0].Text, want)
				}
			}

			unproved, inbox := linked(newWorld(t)), &box{}
			unproved.Mail, unproved.present.User.AddressProved = inbox, false
			must(t, c.do(unproved))
			if len(inbox.mails) != 0 {
				t.Errorf("an address that is not proved: got %d mails, want none", len(inbox.mails))
			}

			full := linked(newWorld(t))
			full.Mail = &box{err: fault.TooMany.Errorf("Enough.")}
			must(t, c.do(full))
			events, err := full.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: c.action}, "", 1)
			must(t, err)
			if events[0].Details["notice"] != "not_sent" {
				t.Errorf("a full mailbox: got the event %+v, want it to say that nobody was told", events[0])
			}

			broken := linked(newWorld(t))
			broken.Mail = &box{err: errors.New("the queue is gone")}
			if c.do(broken) == nil {
				t.Error("a broken queue: got no error, want nothing to be changed")
			}
			if ways := broken.wayIDs(broken.present); len(ways) != 2 {
				t.Errorf("a broken queue: got the ways %v, want both", ways)
			}
			_, err = broken.Password(t.Context(), adminMail, adminPassword, nil, client)
			must(t, err)
		})
	}
}

// Mails of other kinds use up nothing of what notices may be, and a flood of
// notices changes nothing of what is done.
func TestNoticesHaveTheirOwnRoomInTheQueue(t *testing.T) {
	l := linked(newWorld(t))
	queue := &mail.Sender{Store: l.db, Keys: l.Keys, Domain: "sso.acme.test", NewID: ident.UUID, Now: l.now}
	l.Mail = queue
	fill := func(kind mail.Kind) (queued int) {
		for ; queued < 100; queued++ {
			if err := queue.Queue(t.Context(), mail.Message{Kind: kind, To: adminMail, Subject: "Hello", Text: "Hello"}); errors.Is(err, fault.TooMany) {
				return queued
			} else if err != nil {
				t.Fatal(err)
			}
		}
		return queued
	}
	fill(mail.Verification)
	fill(mail.Linked)
	text, _, err := l.ChangePassword(t.Context(), l.present, adminPassword, nextPassword, nil, client)
	must(t, err)
	if got := fill(mail.Notice); got != 49 {
		t.Errorf("got room for %d notices more, want 49: one was queued", got)
	}
	present, err := l.bearerOf(text)
	must(t, err)
	_, err = l.Unlink(t.Context(), present, l.sso.ID, nextPassword, nil, client)
	must(t, err)
	events, err := l.db.Events(t.Context(), audit.Filter{Everywhere: true}, "", 10)
	must(t, err)
	notices := map[string]string{}
	for _, e := range events {
		notices[e.Action] += e.Details["notice"]
	}
	if notices[audit.UserChangePassword] != "" || notices[audit.IdentityUnlink] != "not_sent" {
		t.Errorf("got %v, want the second notice alone not to be sent", notices)
	}
}
