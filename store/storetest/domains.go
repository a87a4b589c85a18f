package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/store"
)

// Domain is an unverified claim of an organization.
func Domain(id string, o account.Organization, name string) domains.Domain {
	return domains.Domain{
		ID: id, OrganizationID: o.ID, Name: name, State: domains.Unverified, Proof: domains.ByDNS,
		Challenge: "challenge-" + id, CreatedAt: Then,
	}
}

// addDomain adds a claim that is verified.
func addDomain(t *testing.T, s *store.Store, id string, o account.Organization, name string, methods ...string) domains.Domain {
	t.Helper()
	d := Domain(id, o, name)
	d.State, d.VerifiedAt, d.CheckedAt = domains.Verified, Then, Then
	do(t, s.AddDomain(t.Context(), d))
	for _, id := range methods {
		_, err := s.LinkDomain(t.Context(), d.ID, id, Then)
		do(t, err)
		d.Methods = append(d.Methods, id)
	}
	return d
}

// addProved adds a user whose address is proved.
func addProved(t *testing.T, s *store.Store, name, email string, edit ...func(*account.User)) account.User {
	t.Helper()
	u := User(name)
	u.Email, u.AddressProved = email, true
	for _, e := range edit {
		e(&u)
	}
	do(t, s.AddUser(t.Context(), u, "hash"))
	return u
}

var claims = []promise{
	{"a claim comes back as it was added, by its id and by its name", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		d := Domain("dom1", o, "b.example")
		d.State, d.VerifiedAt, d.CheckedAt, d.MissingSince, d.Finding = domains.Verified, Then, Then.Add(time.Hour), Then.Add(time.Minute), "nothing"
		do(t, s.AddDomain(t.Context(), d), s.AddDomain(t.Context(), Domain("dom2", o, "a.example")))
		for _, key := range []string{"dom1", "b.example"} {
			got, err := s.Domain(t.Context(), o.ID, key)
			do(t, err)
			same(t, got, d)
			_, err = s.Domain(t.Context(), other.ID, key)
			isFault(t, err, fault.NotFound)
		}
		list, err := s.Domains(t.Context(), o.ID)
		do(t, err)
		same(t, list, []domains.Domain{Domain("dom2", o, "a.example"), d})
	}},
	{"an organization claims a name once, and others may claim it too", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		do(t, s.AddDomain(t.Context(), Domain("dom1", o, "a.example")))
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			taken := s.AddDomain(ctx, Domain("dom2", o, "a.example"))
			isFault(t, taken, fault.Exists)
			same(t, fault.Of(taken).Field, "domain_name")
			id := s.AddDomain(ctx, Domain("dom1", o, "b.example"))
			isFault(t, id, fault.Exists)
			same(t, fault.Of(id).Field, "")
			return s.AddDomain(ctx, Domain("dom3", other, "a.example"))
		})
		do(t, err)
	}},
	{"of many claims to one name, one is verified", func(t *testing.T, s *store.Store) {
		var all []domains.Domain
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			d := Domain("dom-"+name, addOrganization(t, s, name), "a.example")
			do(t, s.AddDomain(t.Context(), d))
			d.State, d.VerifiedAt = domains.Verified, Then
			all = append(all, d)
		}
		won := race(t, len(all), fault.Exists, func(ctx context.Context, n int) error { return s.UpdateDomain(ctx, all[n]) })
		same(t, won, 1)
		holder, err := s.DomainHolder(t.Context(), "a.example")
		do(t, err)
		for _, d := range all {
			if d.OrganizationID == holder {
				d.State = domains.Unverified
				do(t, s.UpdateDomain(t.Context(), d))
			}
		}
		_, err = s.DomainHolder(t.Context(), "a.example")
		isFault(t, err, fault.NotFound)
		do(t, s.UpdateDomain(t.Context(), all[3]))
		isFault(t, s.UpdateDomain(t.Context(), Domain("dom-none", addOrganization(t, s, "g"), "g.example")), fault.NotFound)
	}},
	{"a claim links to identity providers of its organization alone, until it goes or they do", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		one, two, foreign := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o), addIdP(t, s, "am3", other)
		do(t, s.AddDomain(t.Context(), Domain("dom1", o, "a.example")))
		for _, c := range []struct {
			method string
			want   bool
		}{{one.ID, true}, {one.ID, false}, {two.ID, true}, {foreign.ID, false}, {"am-none", false}} {
			got, err := s.LinkDomain(t.Context(), "dom1", c.method, Then)
			do(t, err)
			same(t, got, c.want)
		}
		has, err := s.HasMethod(t.Context(), o.ID, foreign.ID)
		do(t, err)
		same(t, has, false)
		linked := func(want ...string) {
			t.Helper()
			d, err := s.Domain(t.Context(), o.ID, "dom1")
			do(t, err)
			same(t, d.Methods, want)
		}
		linked(one.ID, two.ID)
		gone, err := s.UnlinkDomain(t.Context(), "dom1", one.ID)
		do(t, err)
		same(t, gone, true)
		gone, err = s.UnlinkDomain(t.Context(), "dom1", one.ID)
		do(t, err)
		same(t, gone, false)
		linked(two.ID)
		now := Then
		two.DeletedAt = &now
		do(t, s.UpdateIdP(t.Context(), two))
		linked()
		again, err := s.LinkDomain(t.Context(), "dom1", two.ID, Then)
		do(t, err)
		same(t, again, false)
		_, err = s.LinkDomain(t.Context(), "dom1", one.ID, Then)
		do(t, err)
		lost := Domain("dom1", o, "a.example")
		lost.State = domains.Lost
		do(t, s.UpdateDomain(t.Context(), lost))
		linked()
		do(t, s.DeleteDomain(t.Context(), "dom1"))
		isFault(t, s.DeleteDomain(t.Context(), "dom1"), fault.NotFound)
	}},
	{"a method speaks for a domain that is verified and linked to it", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		one, two := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o)
		d := addDomain(t, s, "dom1", o, "a.example", one.ID)
		waiting := Domain("dom2", other, "a.example")
		do(t, s.AddDomain(t.Context(), waiting))
		theirs := addIdP(t, s, "am3", other)
		_, err := s.LinkDomain(t.Context(), "dom2", theirs.ID, Then)
		do(t, err)
		speaks := func(method, domain string, want bool) {
			t.Helper()
			got, err := s.Standing(t.Context(), method, domain)
			do(t, err)
			same(t, got.Speaks, want)
		}
		speaks(one.ID, "a.example", true)
		speaks(one.ID, "sub.a.example", false)
		speaks(one.ID, "", false)
		speaks(two.ID, "a.example", false)
		speaks(theirs.ID, "a.example", false)
		ways, err := s.DomainMethods(t.Context(), "a.example")
		do(t, err)
		same(t, ways, []login.DomainMethod{{ID: one.ID, Name: one.Name, OrganizationID: o.ID, Organization: o.Name}})
		one.Enabled = false
		do(t, s.UpdateIdP(t.Context(), one))
		ways, err = s.DomainMethods(t.Context(), "a.example")
		do(t, err)
		same(t, len(ways), 0)
		d.State = domains.Lost
		do(t, s.UpdateDomain(t.Context(), d))
		speaks(one.ID, "a.example", false)
	}},
	{"claims are due whose record nobody looked at for long, the longest first", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		add := func(id string, o account.Organization, state domains.State, checked time.Time) {
			t.Helper()
			d := Domain(id, o, id+".example")
			d.State, d.CheckedAt = state, checked
			do(t, s.AddDomain(t.Context(), d))
		}
		add("dom1", o, domains.Verified, Then)
		add("dom2", other, domains.Verified, Then.Add(-time.Hour))
		add("dom3", o, domains.Verified, Then.Add(time.Microsecond))
		add("dom4", o, domains.Unverified, Then.Add(-time.Hour))
		add("dom5", o, domains.Lost, Then.Add(-time.Hour))
		add("dom6", o, domains.Verified, Then.Add(-2*time.Hour))
		add("dom7", o, domains.Verified, time.Time{}) // claimed Then
		due := func(most int, want ...string) {
			t.Helper()
			list, err := s.DueDomains(t.Context(), Then, most)
			do(t, err)
			var got []string
			for _, d := range list {
				got = append(got, d.ID)
			}
			same(t, got, want)
		}
		due(10, "dom6", "dom2", "dom1", "dom7")
		due(2, "dom6", "dom2")
		list, err := s.DueDomains(t.Context(), Then, 1)
		do(t, err)
		seen := list[0]
		seen.CheckedAt, seen.MissingSince = Then.Add(time.Hour), Then
		do(t, s.UpdateDomain(t.Context(), seen))
		n, err := s.MissingDomains(t.Context())
		do(t, err)
		same(t, n, 1)
		due(10, "dom2", "dom1", "dom7")
	}},
	{"who administers an organization can be written to where active and with a proved address", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		join := func(name string, o account.Organization, admin bool, edit ...func(*account.User)) {
			t.Helper()
			addMember(t, s, o, addProved(t, s, name, name+"@a.example", edit...), admin)
		}
		join("eve", o, true)
		join("ada", o, true)
		join("plain", o, false)
		join("elsewhere", other, true)
		join("unproved", o, true, func(u *account.User) { u.AddressProved = false })
		join("gone", o, true, func(u *account.User) { u.State = account.DeactivatedUser })
		for most, want := range map[int][]string{10: {"ada@a.example", "eve@a.example"}, 1: {"ada@a.example"}} {
			name, addresses, err := s.Administrators(t.Context(), o.ID, most)
			do(t, err)
			same(t, name, o.Name)
			same(t, addresses, want)
		}
		_, _, err := s.Administrators(t.Context(), "org-none", 10)
		isFault(t, err, fault.NotFound)
	}},
	{"members are adopted whose proved address is in the domain, whom nobody manages, who administer nothing else", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		ada := addProved(t, s, "ada", "ada@a.example")
		admin := addProved(t, s, "admin", "admin@a.example")
		plain := addProved(t, s, "plain", "plain@a.example")
		unproved := addProved(t, s, "unproved", "unproved@a.example", func(u *account.User) { u.AddressProved = false })
		elsewhere := addProved(t, s, "elsewhere", "elsewhere@b.example")
		below := addProved(t, s, "below", "below@sub.a.example")
		similar := addProved(t, s, "similar", "similar@xa.example")
		managed := addProved(t, s, "managed", "managed@a.example", func(u *account.User) { u.ManagingOrganizationID = other.ID })
		operator := addProved(t, s, "operator", "operator@a.example", func(u *account.User) { u.Operator = true })
		addProved(t, s, "outside", "outside@a.example")
		for _, u := range []account.User{ada, admin, plain, unproved, elsewhere, below, similar, managed, operator} {
			addMember(t, s, o, u, u.ID == ada.ID)
		}
		addMember(t, s, other, admin, true)
		addMember(t, s, other, plain, false)
		got, err := s.AdoptMembers(t.Context(), o.ID, "a.example", Then)
		do(t, err)
		ada.ManagingOrganizationID, plain.ManagingOrganizationID = o.ID, o.ID
		same(t, got, []account.User{ada, plain})
		kept, err := s.User(t.Context(), ada.ID)
		do(t, err)
		same(t, kept, ada)
		got, err = s.AdoptMembers(t.Context(), o.ID, "a.example", Then)
		do(t, err)
		same(t, len(got), 0)
	}},
	{"an organization manages whom no other does, and their address is proved by that", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		u := addUser(t, s, "ada")
		do(t, s.Manage(t.Context(), u.ID, o.ID, Then), s.Manage(t.Context(), u.ID, o.ID, Then))
		isFault(t, s.Manage(t.Context(), u.ID, other.ID, Then), fault.Conflict)
		isFault(t, s.Manage(t.Context(), "u-none", o.ID, Then), fault.Conflict)
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		u.ManagingOrganizationID, u.AddressProved = o.ID, true
		same(t, got, u)
	}},
	{"an unproved account loses every way in but one identity, and every place but one organization", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		own, foreign := addIdP(t, s, "am1", o), addIdP(t, s, "am2", other)
		u := User("ada")
		do(t, s.AddUser(t.Context(), u, "hash"))
		keep := identity(own, u, "one")
		do(t, s.AddIdentity(t.Context(), keep), s.AddIdentity(t.Context(), identity(own, u, "two")), s.AddIdentity(t.Context(), identity(foreign, u, "one")))
		addMember(t, s, o, u, true)
		addMember(t, s, other, u, true)
		token := Token("t", u.ID)
		do(t, s.AddToken(t.Context(), token))
		code := AddressCode("code", u)
		do(t, s.AddAddressCode(t.Context(), code))
		waiting := login.Flow{ID: "f", Method: session.Method{Kind: session.Password}, UserID: u.ID, AnsweredAt: Then, ExpiresAt: Then.Add(time.Minute)}
		do(t, s.AddFlow(t.Context(), waiting))
		do(t, s.Strip(t.Context(), u.ID, keep, o.ID, Then))
		links, err := s.Links(t.Context(), u.ID)
		do(t, err)
		same(t, len(links), 1)
		same(t, links[0].Subject, "one")
		same(t, links[0].MethodID, own.ID)
		places, err := s.Memberships(t.Context(), u.ID)
		do(t, err)
		same(t, len(places), 1)
		same(t, places[0].ID, o.ID)
		has, err := s.HasPassword(t.Context(), u.ID)
		do(t, err)
		same(t, has, false)
		_, err = s.Bearer(t.Context(), token.Hash)
		isFault(t, err, fault.NotFound)
		_, err = s.Flow(t.Context(), waiting.ID, Then)
		isFault(t, err, fault.NotFound)
		_, err = s.UseAddressCode(t.Context(), code.Hash, Then)
		isFault(t, err, fault.NotFound)
		do(t, s.Manage(t.Context(), u.ID, o.ID, Then))
		isFault(t, s.Strip(t.Context(), u.ID, keep, o.ID, Then), fault.NotFound)
		isFault(t, s.Strip(t.Context(), "u-none", keep, o.ID, Then), fault.NotFound)
	}},
	{"a login under way while its account is stripped leaves no session", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		foreign := addIdP(t, s, "am2", other)
		u := User("ada")
		do(t, s.AddUser(t.Context(), u, ""))
		link := identity(foreign, u, "one")
		do(t, s.AddIdentity(t.Context(), link))
		token := Token("t", u.ID)
		token.Method = session.Method{Kind: session.SAML, ID: foreign.ID}
		stripped := make(chan error, 1)
		strip := sync.OnceFunc(func() {
			go func() { stripped <- s.Strip(context.Background(), u.ID, account.Identity{}, o.ID, Then) }()
			// On a database that lets both run, the other has come as far as it gets.
			time.Sleep(200 * time.Millisecond)
		})
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			if err := errors.Join(s.TouchIdentity(ctx, link), s.AddToken(ctx, token)); err != nil {
				return err
			}
			strip()
			return nil
		})
		// Where a step failed, the login is tried again, and may find the account
		// stripped.
		if !errors.Is(err, fault.NotFound) {
			do(t, err)
		}
		do(t, <-stripped)
		_, err = s.Bearer(t.Context(), token.Hash)
		isFault(t, err, fault.NotFound)
	}},
	{"a managed person is written as their organization has them, but for a taken address", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		u := addProved(t, s, "ada", "ada@a.example", func(u *account.User) { u.ManagingOrganizationID = o.ID })
		eve := addUser(t, s, "eve")
		u.Email, u.RealName, u.UpdatedAt = "countess@a.example", "Countess", Then.Add(time.Hour)
		do(t, s.FollowUser(t.Context(), u))
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		same(t, got, u)
		err = s.Tx(t.Context(), func(ctx context.Context) error {
			taken := u
			taken.Email = eve.Email
			err := s.FollowUser(ctx, taken)
			isFault(t, err, fault.Exists)
			same(t, fault.Of(err).Field, "email")
			return nil
		})
		do(t, err)
		u.ManagingOrganizationID = other.ID
		if err := s.FollowUser(t.Context(), u); !errors.Is(err, fault.Exists) {
			t.Errorf("got %v, want another organization's person left alone", err)
		}
	}},
	{"a method puts members into groups that are marked for it, and takes out whom it put in", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		one, two := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o)
		u, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		addMember(t, s, o, u, false)
		var ids []string
		for _, name := range []string{"Red", "Green", "Blue"} {
			g := Group(name, o)
			g.IdPManaged = true
			do(t, s.AddGroup(t.Context(), g))
			ids = append(ids, g.ID)
		}
		plain := addGroup(t, s, o, "Plain")
		foreign := Group("Foreign", other)
		foreign.IdPManaged = true
		do(t, s.AddGroup(t.Context(), foreign))
		marked, err := s.IdPGroups(t.Context(), o.ID)
		do(t, err)
		same(t, marked, map[string]string{
			account.Group{Name: "RED"}.Key(): ids[0], account.Group{Name: "green"}.Key(): ids[1], account.Group{Name: "Blue"}.Key(): ids[2],
		})
		sync := func(method string, groups, wantJoined, wantLeft []string) {
			t.Helper()
			joined, left, err := s.SyncGroups(t.Context(), o.ID, method, u.ID, groups, Then)
			do(t, err)
			sameSet(t, joined, wantJoined...)
			sameSet(t, left, wantLeft...)
		}
		sync(one.ID, []string{ids[0], ids[1], plain.ID, foreign.ID, "ug-none"}, []string{ids[0], ids[1]}, nil)
		sync(two.ID, []string{ids[2]}, []string{ids[2]}, nil)
		sync(one.ID, []string{ids[1]}, nil, []string{ids[0]})
		sync(two.ID, nil, nil, []string{ids[2]})
		_, err = s.AddGroupMembers(t.Context(), ids[2], []string{u.ID}, Then)
		do(t, err)
		sync(one.ID, nil, nil, []string{ids[1]})
		sync(one.ID, []string{ids[0]}, []string{ids[0]}, nil)
		g, err := s.Group(t.Context(), o.ID, ids[0])
		do(t, err)
		for _, fills := range []bool{false, true} {
			g.IdPManaged = fills
			do(t, s.UpdateGroup(t.Context(), g.Group))
			if !fills {
				sync(one.ID, nil, nil, nil)
			} else {
				sync(one.ID, nil, nil, []string{ids[0]})
			}
		}
		joined, left, err := s.SyncGroups(t.Context(), o.ID, one.ID, eve.ID, ids, Then)
		do(t, err)
		same(t, len(joined)+len(left), 0)
	}},
	{"adopting people and following groups leaves notes", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		one := addIdP(t, s, "am1", o)
		u := addProved(t, s, "ada", "ada@a.example")
		addMember(t, s, o, u, false)
		g := Group("Red", o)
		g.IdPManaged = true
		do(t, s.AddGroup(t.Context(), g))
		same(t, told(t, s, func() error {
			_, err := s.AdoptMembers(t.Context(), o.ID, "a.example", Then)
			return err
		}), []string{gate.UserKey(u.ID)})
		for _, ids := range [][]string{{g.ID}, nil} {
			same(t, told(t, s, func() error {
				_, _, err := s.SyncGroups(t.Context(), o.ID, one.ID, u.ID, ids, Then)
				return err
			}), []string{gate.OrganizationKey(o.ID)})
		}
	}},
}
