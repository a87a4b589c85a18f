package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
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
	l, inbox := newLinker(newWorld(t)), &box{}
	l.Mail = inbox
	flow := l.begin(boss)
	l.present.User.AddressProved = false
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
