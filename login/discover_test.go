package login_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/sso"
)

// speaks has Acme verify a domain, and link it to methods.
func (w *world) speaks(domain string, methods ...*sso.IdP) {
	w.t.Helper()
	ctx := context.Background()
	d := domains.Domain{ID: ident.New("dom"), OrganizationID: w.acme.ID, Name: domain, State: domains.Verified, Proof: domains.ByDNS, CreatedAt: w.now(), VerifiedAt: w.now()}
	must(w.t, w.db.AddDomain(ctx, d))
	for _, m := range methods {
		_, err := w.db.LinkDomain(ctx, d.ID, m.ID, w.now())
		must(w.t, err)
		w.pass(time.Second)
	}
}

// holders gives addresses of one domain: one with a proved account, one with
// an unproved account, one with an account that has no password, and one that
// nobody has.
func (w *world) holders(domain string) map[string]string {
	w.t.Helper()
	ctx := context.Background()
	hash, err := w.Passwords.Hash(ctx, adminPassword)
	must(w.t, err)
	for name, edit := range map[string]func(*account.User) string{
		"proved":   func(u *account.User) string { u.AddressProved = true; return hash },
		"unproved": func(*account.User) string { return hash },
		"managed": func(u *account.User) string {
			u.AddressProved, u.ManagingOrganizationID = true, w.acme.ID
			return ""
		},
	} {
		u := account.User{ID: ident.New("u"), Email: name + "@" + domain, RealName: name, State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
		hash := edit(&u)
		must(w.t, w.db.AddUser(ctx, u, hash))
	}
	return map[string]string{
		"proved account": "proved@" + domain, "unproved account": "unproved@" + domain,
		"account without a password": "managed@" + domain, "nobody": "nobody@" + domain,
	}
}

// An asked store notes what it is asked, but for addresses.
type askedStore struct {
	login.Store
	asked []string
}

func (s *askedStore) note(what ...string) { s.asked = append(s.asked, strings.Join(what, " ")) }

func (s *askedStore) UserWithPassword(ctx context.Context, email string) (account.User, string, error) {
	s.note("user with password")
	return s.Store.UserWithPassword(ctx, email)
}

func (s *askedStore) UserByEmail(ctx context.Context, email string) (account.User, error) {
	s.note("user by email")
	return s.Store.UserByEmail(ctx, email)
}

func (s *askedStore) User(ctx context.Context, id string) (account.User, error) {
	s.note("user", id)
	return s.Store.User(ctx, id)
}

func (s *askedStore) Links(ctx context.Context, userID string) ([]login.Link, error) {
	s.note("links", userID)
	return s.Store.Links(ctx, userID)
}

func (s *askedStore) PasswordState(ctx context.Context, userID string) (login.PasswordState, error) {
	s.note("password state", userID)
	return s.Store.PasswordState(ctx, userID)
}

func (s *askedStore) Memberships(ctx context.Context, userID string) ([]account.Membership, error) {
	s.note("memberships", userID)
	return s.Store.Memberships(ctx, userID)
}

func (s *askedStore) DomainMethods(ctx context.Context, domain string) ([]login.DomainMethod, error) {
	s.note("domain methods", domain)
	return s.Store.DomainMethods(ctx, domain)
}

func (s *askedStore) Policy(ctx context.Context, organizationID string) (policy.Policy, error) {
	s.note("policy", organizationID)
	return s.Store.Policy(ctx, organizationID)
}

// What is offered for an address, and what a wrong password is told, tells
// nobody whether the address has an account: neither by what it says, nor by
// what is looked up for it.
func TestNoAnswerTellsWhoHasAnAccount(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.speaks("acme.test", w.sso)
	w.speaks("lonely.test")
	store := &askedStore{Store: w.db}
	w.Login.Store = store
	for domain, queries := range map[string][]string{
		"acme.test":   {"domain methods acme.test", "policy " + w.acme.ID},
		"lonely.test": {"domain methods lonely.test"},
		"other.test":  {"domain methods other.test"},
	} {
		var first login.Offer
		var message string
		for name, address := range w.holders(domain) {
			store.asked = nil
			got, err := w.Offers(ctx, address, client)
			must(t, err)
			if diff := cmp.Diff(queries, store.asked); diff != "" {
				t.Errorf("%s at %s: asked of storage (-want +got):\n%s", name, domain, diff)
			}
			if first.Domain == "" {
				first = got
			}
			if diff := cmp.Diff(first, got); diff != "" {
				t.Errorf("%s at %s: got another offer than the first (-first +got):\n%s", name, domain, diff)
			}
			store.asked = nil
			_, err = w.Password(ctx, address, "not this one", nil, client)
			wantCode(t, err, fault.Denied, "authentication_failed")
			if diff := cmp.Diff(append([]string{"user with password"}, queries...), store.asked); diff != "" {
				t.Errorf("wrong password, %s at %s: asked of storage (-want +got):\n%s", name, domain, diff)
			}
			said := fault.Of(err).Message
			if message == "" {
				message = said
			}
			if said != message {
				t.Errorf("wrong password, %s at %s: got %q, want %q as for the first", name, domain, said, message)
			}
		}
		if names := strings.Contains(message, w.sso.Name) && strings.Contains(message, w.Base+"/link/"+w.sso.ID); names != (domain == "acme.test") {
			t.Errorf("wrong password at %s: got %q; want the identity provider and its account link named where the domain has one alone", domain, message)
		}
	}
}

func TestADomainOffersItsIdentityProviders(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	_, second := w.connect("https://second.acme.test", w.acme)
	_, off := w.connect("https://off.acme.test", w.acme)
	w.speaks("acme.test", second, w.sso, off)
	no := false
	_, err := w.idps.Update(ctx, w.admin, w.acme, off.ID, sso.Change{Enabled: &no, Ending: sso.Ending{Force: true}})
	must(t, err)
	for address, want := range map[string][]string{
		"new@acme.test":                           {second.ID, w.sso.ID},
		" New@ACME.test ":                         {second.ID, w.sso.ID},
		"new@mail.acme.test":                      nil, // a subdomain is a domain of its own
		"new@acme.test.evil":                      nil,
		"new@" + strings.Repeat("x", 60) + ".com": nil,
	} {
		got, err := w.Offers(ctx, address, client)
		must(t, err)
		var ids []string
		for _, m := range got.Methods {
			ids = append(ids, m.ID)
		}
		if !slices.Equal(ids, want) || !got.Password {
			t.Errorf("%q: got %v, password %v; want %v and a password", address, ids, got.Password, want)
		}
	}
	if _, err := w.Offers(ctx, "no address", client); !errors.Is(err, fault.Invalid) || fault.Of(err).Field != "email" {
		t.Errorf("no address: got %v, want invalid at email", err)
	}
}

func TestWhoeverTriesAListOfDomainsIsSlowedDown(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	var limited error
	for i := 0; i < 2000 && limited == nil; i++ {
		_, limited = w.Offers(ctx, "x@"+time.Duration(i).String()+".test", client)
	}
	if !errors.Is(limited, fault.TooMany) {
		t.Errorf("2000 addresses at once: got %v, want too many", limited)
	}
	if _, err := w.Offers(ctx, "x@acme.test", login.Client{IP: netip.MustParseAddr("192.0.2.99")}); err != nil {
		t.Errorf("from another address: got %v, want an answer", err)
	}
}
