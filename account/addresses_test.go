package account_test

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/sso"
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

// user adds somebody without asking anything.
func (w *addressWorld) user(t *testing.T, email string) account.User {
	t.Helper()
	u := account.User{ID: ident.New("u"), Email: email, RealName: email, State: account.ActiveUser, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := w.db.AddUser(t.Context(), u, ""); err != nil {
		t.Fatal(err)
	}
	return u
}

// organization makes one of which u is super admin.
func (w *addressWorld) organization(t *testing.T, u account.User, name string) account.Organization {
	t.Helper()
	s := &account.Organizations{Store: w.db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: time.Now, Audit: w.Audit}
	o, err := s.Add(t.Context(), account.Actor{User: u}, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// provider makes an identity provider, of another organization than u's, to
// which u is linked, and gives its id.
func (w *addressWorld) provider(t *testing.T, u account.User, name string) string {
	t.Helper()
	o := w.organization(t, w.user(t, ident.New("u")+"@acme.test"), "Holder of "+name)
	i := &sso.IdP{ID: ident.New("am"), OrganizationID: o.ID, AccountID: o.AccountID, Name: name, SPCertificate: []byte{1}, SPKey: []byte{2}, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := w.db.AddIdP(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	l := account.Identity{MethodID: i.ID, SubjectKind: "nameid", Subject: "ann", UserID: u.ID, CreatedAt: time.Now(), LastUsedAt: time.Now()}
	if err := w.db.AddIdentity(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return i.ID
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
					_, errs[n] = w.Prove(t.Context(), code, account.Actor{User: u})
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

func TestTheMailNamesTheAccountAndCarriesNoAdvertisement(t *testing.T) {
	w := newAddressWorld(t)
	u, err := w.people.Add(t.Context(), account.Actor{IP: reader.IP, UserAgent: "Visit evil.test"}, account.NewUser{Email: "ann@acme.test", RealName: "Ann, visit evil.test", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	w.organization(t, u, "Acme or evil.test")
	w.provider(t, u, "Our IdP")
	if err := w.AskAgain(t.Context(), account.Actor{User: u}); err != nil {
		t.Fatal(err)
	}
	if len(w.box.mails) != 2 {
		t.Fatalf("got %+v, want two mails", w.box.mails)
	}
	for n, m := range w.box.mails {
		text := m.Subject + m.Text + m.HTML
		if m.Kind != mail.Verification || m.To != "ann@acme.test" || strings.Contains(text, "evil") {
			t.Errorf("got a %s to %s, %q; want one to ann without the address in the name", m.Kind, m.To, text)
		}
		for _, want := range []string{"Ann, visit (left out)", "Acme or (left out)", "Our IdP"}[:1+2*n] {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("got %q, want %q in it", text, want)
			}
		}
	}
}

func TestTheReaderIsToldWhatTheAccountIsLinkedTo(t *testing.T) {
	w := newAddressWorld(t)
	u := w.signUp(t)
	o := w.organization(t, u, "Acme")
	id := w.provider(t, u, "Our IdP")
	got, err := w.Look(t.Context(), w.box.code(t), reader.IP)
	if err != nil {
		t.Fatal(err)
	}
	if got.User.ID != u.ID || !got.HasPassword || len(got.Organizations) != 1 || got.Organizations[0].ID != o.ID {
		t.Errorf("got %+v, want ann, with a password and her organization", got)
	}
	want := []account.LinkedProvider{{ID: id, Name: "Our IdP", Organization: "Holder of Our IdP"}}
	if diff := cmp.Diff(want, got.Providers); diff != "" {
		t.Errorf("providers (-want +got):\n%s", diff)
	}
}

func TestOnlyWhoCanGetIntoAnAccountSaysThatItIsTheirs(t *testing.T) {
	w := newAddressWorld(t)
	u := w.signUp(t)
	code := w.box.code(t)
	for name, by := range map[string]account.Actor{"nobody": reader, "somebody else": {User: account.User{ID: "u-other", Email: u.Email}}} {
		if _, err := w.Prove(t.Context(), code, by); !errors.Is(err, fault.Denied) || fault.Of(err).Code != "login_required_to_verify" {
			t.Errorf("%s: got %v, want login_required_to_verify", name, err)
		}
	}
	got, err := w.Prove(t.Context(), code, account.Actor{User: u})
	if err != nil || !got.AddressProved {
		t.Errorf("got %+v, %v; want the address proved: refusing uses nothing up", got, err)
	}
}

// clashing is a store in which every address is taken.
type clashing struct{ *store.Store }

func (clashing) Disown(context.Context, string, string, string, time.Time) error {
	return fault.Exists.Errorf("There is an account with this address already.").At("email")
}

func TestAClashOfWhatWeChoseIsOurOwnMistake(t *testing.T) {
	w := newAddressWorld(t)
	w.signUp(t)
	w.Store = clashing{w.db}
	err := w.Disown(t.Context(), w.box.code(t), reader)
	if f := fault.Of(err); err == nil || f.Kind != fault.Internal || f.Field != "" {
		t.Errorf("got %v, want an internal fault", err)
	}
}

func TestEachOrganizationOfADisownedAccountIsTold(t *testing.T) {
	w := newAddressWorld(t)
	u := w.signUp(t)
	alone, shared := w.organization(t, u, "Alone"), w.organization(t, u, "Shared")
	colleague := w.user(t, "bob@acme.test")
	joined := w.organization(t, colleague, "Joined")
	for _, m := range []account.Member{{OrganizationID: shared.ID, UserID: colleague.ID, SuperAdmin: true}, {OrganizationID: joined.ID, UserID: u.ID}} {
		m.JoinedAt = time.Now()
		if err := w.db.AddMember(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Disown(t.Context(), w.box.code(t), reader); err != nil {
		t.Fatal(err)
	}
	got := map[string]audit.Details{}
	events, err := w.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.UserDisown}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		got[e.OrganizationID] = e.Details
	}
	want := map[string]audit.Details{
		alone.ID:  {"super_admin": "true", "super_admins_left": "0"},
		shared.ID: {"super_admin": "true", "super_admins_left": "1"},
		joined.ID: {"super_admin": "false"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(events) != 3 {
		t.Errorf("got %d events, (-want +got):\n%s", len(events), diff)
	}
	if left, err := w.db.Memberships(t.Context(), u.ID); err != nil || len(left) != 0 {
		t.Errorf("got %+v, %v; want no membership left", left, err)
	}
}

func TestTheOrganizationThatManagesADisownedAccountIsTold(t *testing.T) {
	for name, member := range map[string]bool{"a member": true, "no member": false} {
		w := newAddressWorld(t)
		o := w.organization(t, w.user(t, "boss@acme.test"), "Acme")
		u := account.User{ID: ident.New("u"), Email: "ann@acme.test", RealName: "Ann", State: account.ActiveUser, ManagingOrganizationID: o.ID, CreatedAt: time.Now(), UpdatedAt: time.Now()}
		if err := w.db.AddUser(t.Context(), u, ""); err != nil {
			t.Fatal(err)
		}
		if member {
			if err := w.db.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: u.ID, JoinedAt: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.AskAgain(t.Context(), account.Actor{User: u}); err != nil {
			t.Fatal(err)
		}
		if err := w.Disown(t.Context(), w.box.code(t), reader); err != nil {
			t.Fatal(err)
		}
		events, err := w.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.UserDisown}, "", 10)
		if err != nil || len(events) != 1 || events[0].OrganizationID != o.ID {
			t.Errorf("%s: got %+v, %v; want one event, of the organization", name, events, err)
		}
	}
}

func TestWhatWasDoneStandsInTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *addressWorld, u account.User, code string) error
		want string
		who  string
	}{
		"prove": {func(w *addressWorld, u account.User, code string) error {
			_, err := w.Prove(t.Context(), code, account.Actor{User: u, IP: reader.IP})
			return err
		}, audit.UserProveAddress, "own"},
		"disown": {func(w *addressWorld, _ account.User, code string) error { return w.Disown(t.Context(), code, reader) }, audit.UserDisown, ""},
	} {
		w := newAddressWorld(t)
		u := w.signUp(t)
		if err := c.do(w, u, w.box.code(t)); err != nil {
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
