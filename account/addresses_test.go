package account_test

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// A box is a Mailer that remembers, or refuses.
type box struct {
	mu    sync.Mutex
	mails []mail.Message
	err   error
}

func (b *box) Queue(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.mails = append(b.mails, m)
	return nil
}

var mailed = regexp.MustCompile(`/verify/([0-9A-Za-z]{32})`)

// code is the one in the newest mail.
func (b *box) code(t *testing.T) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mails) == 0 {
		t.Fatal("no mail was queued")
	}
	return mailed.FindStringSubmatch(b.mails[len(b.mails)-1].Text)[1]
}

// renamed is a store in which users have other addresses by now.
type renamed struct{ *store.Store }

func (r renamed) User(ctx context.Context, id string) (account.User, error) {
	u, err := r.Store.User(ctx, id)
	u.Email = "other@acme.test"
	return u, err
}

type addressWorld struct {
	*account.Addresses
	db     *store.Store
	people *account.People
	box    *box
}

var reader = account.Actor{IP: netip.MustParseAddr("192.0.2.1")}

func newAddressWorld(t *testing.T) *addressWorld {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: seal.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &addressWorld{db: db, box: &box{}}
	log := &audit.Log{Store: db, Now: time.Now, NewID: ident.UUID}
	w.Addresses = &account.Addresses{Store: db, Mail: w.box, Limits: &limit.Memory{Now: time.Now}, Base: "https://sso.acme.test", Now: time.Now, Audit: log}
	w.people = &account.People{Store: db, Passwords: account.NewPasswords(), NewID: ident.Source("u"), Now: time.Now, Audit: log, Addresses: w.Addresses}
	return w
}

func (w *addressWorld) signUp(t *testing.T) account.User {
	t.Helper()
	u, err := w.people.Add(t.Context(), reader, account.NewUser{Email: "ann@acme.test", RealName: "Ann", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantCoded(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.Of(err).Code != code || fault.Of(err).Message == "" {
		t.Errorf("got %v, want a sentence with code %s", err, code)
	}
}

func TestALinkForAnotherAddressDoesNothing(t *testing.T) {
	w := newAddressWorld(t)
	u := w.signUp(t)
	w.Store = renamed{w.db}
	_, err := w.Look(t.Context(), w.box.code(t), reader.IP)
	wantCoded(t, err, "address_changed")
	_, err = w.Prove(t.Context(), w.box.code(t), reader)
	wantCoded(t, err, "address_changed")
	wantCoded(t, w.Disown(t.Context(), w.box.code(t), reader), "address_changed")
	got, err := w.db.User(t.Context(), u.ID)
	if err != nil || got.AddressProved || got.State != account.ActiveUser {
		t.Errorf("got %+v, %v; want nothing changed", got, err)
	}
}

func TestOfManyWhoAnswerAtOnceOneIsHeard(t *testing.T) {
	for range 5 {
		w := newAddressWorld(t)
		u := w.signUp(t)
		code := w.box.code(t)
		var group sync.WaitGroup
		errs := make([]error, 10)
		for n := range errs {
			group.Go(func() {
				if n%2 == 0 {
					_, errs[n] = w.Prove(t.Context(), code, reader)
				} else {
					errs[n] = w.Disown(t.Context(), code, reader)
				}
			})
		}
		group.Wait()
		won, proved := 0, false
		for n, err := range errs {
			if err == nil {
				won, proved = won+1, n%2 == 0
			} else if !errors.Is(err, fault.Conflict) {
				t.Errorf("a loser got %v, want a conflict", err)
			}
		}
		got, err := w.db.User(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if won != 1 || got.AddressProved != proved || (got.State == account.ActiveUser) != proved {
			t.Errorf("got %d heard, the last of them proving %v, and the user %+v", won, proved, got)
		}
	}
}

func TestAFullMailboxDoesNotKeepAnybodyFromSigningUp(t *testing.T) {
	w := newAddressWorld(t)
	w.box.err = fault.TooMany.Errorf("Enough.")
	u := w.signUp(t)
	if err := w.AskAgain(t.Context(), account.Actor{User: u}); !errors.Is(err, fault.TooMany) {
		t.Errorf("asking again: got %v, want too many", err)
	}
}

func TestAnAccountIsNotMadeWithoutItsMail(t *testing.T) {
	w := newAddressWorld(t)
	w.box.err = errors.New("the queue is gone")
	if _, err := w.people.Add(t.Context(), reader, account.NewUser{Email: "ann@acme.test", RealName: "Ann", Password: "correct horse"}); err == nil {
		t.Error("got no error, want one")
	}
	if _, err := w.db.UserByEmail(t.Context(), "ann@acme.test"); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want no account", err)
	}
}

func TestTheOperatorIsAskedNothing(t *testing.T) {
	w := newAddressWorld(t)
	if _, err := w.people.AddOperator(t.Context(), account.NewUser{Email: "ann@acme.test", RealName: "Ann", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	if len(w.box.mails) != 0 {
		t.Errorf("got %d mails, want none", len(w.box.mails))
	}
}

func TestTheMailQuotesNothingThatAStrangerChose(t *testing.T) {
	w := newAddressWorld(t)
	_, err := w.people.Add(t.Context(), account.Actor{IP: reader.IP, UserAgent: "Visit evil.test"}, account.NewUser{Email: "ann@acme.test", RealName: "Visit evil.test", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.box.mails {
		if text := m.Subject + m.Text + m.HTML; regexp.MustCompile(`evil`).MatchString(text) {
			t.Errorf("got %q, want nothing of the name", text)
		}
	}
	if len(w.box.mails) != 1 || w.box.mails[0].Kind != mail.Verification || w.box.mails[0].To != "ann@acme.test" {
		t.Errorf("got %+v, want one mail to ann", w.box.mails)
	}
}

func TestWhatWasDoneStandsInTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *addressWorld, code string) error
		want string
		who  string
	}{
		"prove":  {func(w *addressWorld, code string) error { _, err := w.Prove(t.Context(), code, reader); return err }, audit.UserProveAddress, "own"},
		"disown": {func(w *addressWorld, code string) error { return w.Disown(t.Context(), code, reader) }, audit.UserDisown, ""},
	} {
		w := newAddressWorld(t)
		u := w.signUp(t)
		if err := c.do(w, w.box.code(t)); err != nil {
			t.Fatal(err)
		}
		events, err := w.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: c.want}, "", 10)
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: got %d events, %v; want one", name, len(events), err)
		}
		e := events[0]
		if e.Target.ID != u.ID || e.Target.Name != "ann@acme.test" || e.Actor.Name != "ann@acme.test" || (e.Actor.ID == u.ID) != (c.who == "own") || e.IP != reader.IP {
			t.Errorf("%s: got %+v, want who did it, from where, and to what", name, e)
		}
	}
}
