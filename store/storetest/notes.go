package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

// A scene is everything that a pass can show: Ada, whom Acme manages, with
// tokens of a password and of two identity providers, in two organizations, in
// the group that one tries a policy on.
type scene struct {
	ada, eve    account.User
	acme, other account.Organization
	unit        account.Account
	own, fellow *sso.IdP
	group       account.Group
	tokens      []session.Token
	places      []gate.Where
}

func setScene(t *testing.T, s *store.Store) *scene {
	t.Helper()
	c := &scene{acme: addOrganization(t, s, "acme"), other: addOrganization(t, s, "other"), eve: addUser(t, s, "eve")}
	c.ada = User("ada")
	c.ada.ManagingOrganizationID = c.acme.ID
	do(t, s.AddUser(t.Context(), c.ada, "hash"))
	c.unit = addUnit(t, s, c.acme, "unit", Then)
	c.own, c.fellow = addIdP(t, s, "am-own", c.acme), addIdP(t, s, "am-fellow", c.other)
	for _, o := range []account.Organization{c.acme, c.other} {
		addMember(t, s, o, c.ada, true)
	}
	c.group = addGroup(t, s, c.acme, "Testers")
	_, err := s.AddGroupMembers(t.Context(), c.group.ID, []string{c.ada.ID}, Then)
	do(t, err)
	p := trial(c.acme, policy.ForGroup)
	p.Trial.GroupID = c.group.ID
	do(t, s.SavePolicy(t.Context(), p))
	for _, m := range []session.Method{{Kind: session.Password}, {Kind: session.SAML, ID: c.own.ID}, {Kind: session.SAML, ID: c.fellow.ID}, {Kind: session.Recovery, ID: c.acme.ID}} {
		token := Token(c.ada.ID+string(m.Kind)+m.ID, c.ada.ID)
		token.Method = m
		do(t, s.AddToken(t.Context(), token))
		c.tokens = append(c.tokens, token)
	}
	link(t, s, c.own, c.ada, "ada")
	link(t, s, c.fellow, c.ada, "ada")
	c.places = []gate.Where{{}, {OrganizationID: c.acme.ID}, {OrganizationID: c.other.ID}, {AccountID: c.acme.AccountID}, {AccountID: c.unit.ID}}
	return c
}

// seen is a pass as a cache has it.
type seen struct {
	hash  [sha256.Size]byte
	where gate.Where
}

// passes reads all that a cache can have of a scene: what is not there, none
// keeps.
func (c *scene) passes(t *testing.T, s *store.Store) map[seen]gate.Pass {
	t.Helper()
	all := map[seen]gate.Pass{}
	for _, token := range c.tokens {
		for _, where := range c.places {
			p, err := s.Pass(t.Context(), token.Hash, where)
			if err == nil && (where == gate.Where{} || p.Place.Organization.ID != "") {
				all[seen{token.Hash, where}] = p
			}
		}
	}
	return all
}

// changing are the methods of a store that change what a pass shows. Each is
// to leave a note for every pass that it changes.
var changing = map[string]func(ctx context.Context, s *store.Store, c *scene) error{
	"AddIdentity": func(ctx context.Context, s *store.Store, c *scene) error {
		i := identity(c.own, c.ada, "second")
		i.LastUsedAt = Then.Add(time.Hour) // a login of hers through who manages her
		return s.AddIdentity(ctx, i)
	},
	"CutIdentities": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.CutIdentities(ctx, c.ada.ID, c.own.ID)
		return err
	},
	"CutPassword": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.CutPassword(ctx, c.ada.ID)
		return err
	},
	"DeleteGroup": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.DeleteGroup(ctx, c.acme.ID, c.group.ID)
	},
	"DeleteToken": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.DeleteToken(ctx, c.tokens[0].Hash)
		return err
	},
	"DescribeToken": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.DescribeToken(ctx, c.tokens[0].Hash, "another")
	},
	"Disown": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.Disown(ctx, c.ada.ID, c.ada.Email, "gone@disowned.invalid", Then)
	},
	"Strip": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.Strip(ctx, c.ada.ID, account.Identity{}, c.acme.ID, Then)
	},
	"Release": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.Release(ctx, c.acme.ID, c.ada.ID, Then)
	},
	"RemoveMember": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.RemoveMember(ctx, c.acme.ID, c.ada.ID)
	},
	"FollowUser": func(ctx context.Context, s *store.Store, c *scene) error {
		c.ada.RealName = "Another"
		return s.FollowUser(ctx, c.ada)
	},
	"Manage": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.Manage(ctx, c.ada.ID, c.acme.ID, Then)
	},
	"ExpireTokens": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.ExpireTokens(ctx, c.ada.ID, Then)
		return err
	},
	"ProveAddress": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.ProveAddress(ctx, c.ada.ID, c.ada.Email, Then)
	},
	"RemoveGroupMembers": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.RemoveGroupMembers(ctx, c.group.ID, []string{c.ada.ID})
		return err
	},
	"SavePolicy": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.SavePolicy(ctx, trial(c.acme, policy.ToRevert))
	},
	"SetSuperAdmin": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.SetSuperAdmin(ctx, c.acme.ID, c.ada.ID, false)
	},
	"TouchIdentity": func(ctx context.Context, s *store.Store, c *scene) error {
		i := identity(c.own, c.ada, "ada")
		i.LastUsedAt = Then.Add(time.Hour)
		return s.TouchIdentity(ctx, i)
	},
	"UpdateAccount": func(ctx context.Context, s *store.Store, c *scene) error {
		c.unit.Name = "Another"
		return s.UpdateAccount(ctx, c.unit)
	},
	"UpdateIdP": func(ctx context.Context, s *store.Store, c *scene) error {
		c.own.Enabled = false
		return s.UpdateIdP(ctx, c.own)
	},
	"UpdateOrganization": func(ctx context.Context, s *store.Store, c *scene) error {
		c.acme.Name = "Another"
		return s.UpdateOrganization(ctx, c.acme)
	},
	"UpdateUser": func(ctx context.Context, s *store.Store, c *scene) error {
		c.ada.RealName = "Another"
		return s.UpdateUser(ctx, c.ada)
	},
}

// joining are those that let somebody into what they were not in: a place that
// is not there no cache keeps, but somebody may be in a part of it.
var joining = map[string]func(ctx context.Context, s *store.Store, c *scene) error{
	"AddGroupMembers": func(ctx context.Context, s *store.Store, c *scene) error {
		_, err := s.AddGroupMembers(ctx, c.group.ID, []string{c.ada.ID}, Then)
		return err
	},
	"AddMember": func(ctx context.Context, s *store.Store, c *scene) error {
		return s.AddMember(ctx, account.Member{OrganizationID: c.other.ID, UserID: c.ada.ID, JoinedAt: Then})
	},
}

// still are the methods that change nothing which a pass shows. NoteUses does,
// and the gate knows: of a token that uses extend it believes no cache. So do
// AdoptMembers and SyncGroups, of whose notes the claims have a promise.
var still = strings.Fields(`
	DropFlows Principal SessionsNamed AdmittingIdPs DueRefreshes EndingCertificates KnownCertificates MetadataStates Refresh SaveCertificates SaveRefresh UseCertificate
	AdoptMembers SyncGroups Account AccountsOf AddAccount AddAddressCode AddDevice AddDomain Administrators DeleteDomain Domain DueDomains DomainHolder DomainMethods Domains HasMethod IdPGroups KeysDue SaveKeys LinkDomain UnlinkDomain UpdateDomain AddEvent AddFlow AddGroup AddIdP AddLoginCode AddMail AddOrganization
	AddRecoveryLink AddShare AddSightings AddTest AddToken AddTrace AddUser CountRefused DropTraceResponse EndTest EndTrace Refused Share StartTest SweepTraces Test TestByFlow Trace Traces AddressCode Admins AnswerDevice Backup Bearer BindFlow ChangePassword ClaimMail ClearSightings Close CountIdPs CountTokens
	DelayMail DeviceByHash DeviceByUserCode EndAddressCodes EndMail Events Flow FollowKeys ForgetNode Group GroupJoiners GroupMembers Groups HasGroup HasPassword
	HasUsers IdP IdPOf IdPsOf InGroup LastSSO LinkedProviders Links LockOrganization LockUser Mark Marked Member
	MemberByAddress MissingDomains MembersAmong Memberships Method Nodes NoteUses Notes OnChange Organization OrganizationMember OrganizationMembers PaceDevice Pass PasswordState People
	Ping Places Policy PutInForce RecoveryLink Reseal Seals SeeNode Sightings Standing SuperAdmins Sweep TakeDevice TakeFlow
	TakeLoginCode TakeRecoveryLink TakeTurn TakenRecoveryLink TokenOf TokensOf TouchPassword TrialsOver Tx Units UpdateGroup UseAddressCode
	UseOnce User UserByEmail UserByIdentity UserWithPassword`)

// told runs fn and gives the keys of the notes that it left: the ones that
// were told here and the ones in the database must be the same.
func told(t *testing.T, s *store.Store, fn func() error) []string {
	t.Helper()
	var here []string
	before, err := s.Notes(t.Context(), time.Minute)
	do(t, err)
	s.OnChange(func(keys []string) { here = append(here, keys...) })
	do(t, fn())
	s.OnChange(func([]string) {})
	after, err := s.Notes(t.Context(), time.Minute)
	do(t, err)
	var left []string
	for _, n := range after {
		if !slices.Contains(before, n) {
			left = append(left, n.Key)
		}
	}
	slices.Sort(left)
	slices.Sort(here)
	same(t, here, left)
	return left
}

var notes = []promise{
	{"each method of the store is known to change what a pass shows, or not", func(t *testing.T, _ *store.Store) {
		for m := range reflect.TypeFor[*store.Store]().Methods() {
			_, changes := changing[m.Name]
			_, joins := joining[m.Name]
			known := changes || joins || slices.Contains(still, m.Name)
			if !known && m.Name != "SealedColumns" { // which tests add
				t.Errorf("%s is new: does it change what a gate.Pass shows? Then it must leave a note, and stand in changing; else in still", m.Name)
			}
		}
	}},
	{"notes are told once a change is kept, before whoever made it goes on", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		var order []string
		s.OnChange(func(keys []string) {
			got, err := s.User(t.Context(), u.ID)
			do(t, err)
			order = append(order, got.RealName, fmt.Sprint(keys))
		})
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			u.RealName = "Another"
			do(t, s.UpdateUser(ctx, u), s.UpdateUser(ctx, u))
			order = []string{"made"} // from where it began: a store may run this again
			return nil
		}))
		order = append(order, "back")
		same(t, order, []string{"made", "Another", "[u:u-ada]", "back"})
	}},
	{"what is not kept leaves no note", func(t *testing.T, s *store.Store) {
		u, no := addUser(t, s, "ada"), errors.New("no")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.UpdateUser(ctx, u))
			return no
		})
		if err != no {
			t.Errorf("got %v, want the error of fn", err)
		}
		left, err := s.Notes(t.Context(), time.Minute)
		do(t, err)
		same(t, len(left), 0)
	}},
	{"what changes nothing leaves no note", func(t *testing.T, s *store.Store) {
		c := setScene(t, s)
		keys := told(t, s, func() error {
			_, err := s.DeleteToken(t.Context(), sha256.Sum256([]byte("none")))
			if err == nil {
				t.Error("got a token deleted that is not there")
			}
			_ = s.UpdateUser(t.Context(), User("nobody"))
			_ = s.UpdateOrganization(t.Context(), Organization("nothing"))
			_ = s.DeleteGroup(t.Context(), c.other.ID, c.group.ID)
			_ = s.AddMember(t.Context(), account.Member{OrganizationID: c.acme.ID, UserID: c.ada.ID, JoinedAt: Then})
			return nil
		})
		same(t, len(keys), 0)
	}},
	{"many notes of one transaction are all kept, each key once", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		var all []string
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			for i := range 450 {
				u := User(fmt.Sprint(i))
				all = append(all, u.ID)
				if err := errors.Join(s.AddUser(ctx, u, ""), s.AddMember(ctx, account.Member{OrganizationID: o.ID, UserID: u.ID, JoinedAt: Then})); err != nil {
					return err
				}
			}
			return nil
		}))
		keys := told(t, s, func() error {
			return s.Tx(t.Context(), func(ctx context.Context) error {
				for _, id := range append(all, all...) {
					do(t, s.SetSuperAdmin(ctx, o.ID, id, true))
				}
				return nil
			})
		})
		same(t, len(keys), 450)
	}},
	{"notes of many at once are all left", func(t *testing.T, s *store.Store) {
		var group sync.WaitGroup
		var users []account.User
		for i := range 20 {
			users = append(users, addUser(t, s, fmt.Sprint(i)))
		}
		for _, u := range users {
			group.Go(func() {
				if err := s.UpdateUser(t.Context(), u); err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
		group.Wait()
		left, err := s.Notes(t.Context(), time.Minute)
		do(t, err)
		same(t, len(left), 20)
	}},
	{"notes are those of the time that is asked for, and stay for a while", func(t *testing.T, s *store.Store) {
		do(t, s.UpdateUser(t.Context(), addUser(t, s, "ada")))
		left, err := s.Notes(t.Context(), -time.Minute)
		do(t, err)
		same(t, len(left), 0)
		_, err = s.Sweep(t.Context(), time.Now())
		do(t, err)
		left, err = s.Notes(t.Context(), time.Minute)
		do(t, err)
		same(t, len(left), 1)
	}},
}

// shows are the promises of each method that changes something.
func shows() (all []promise) {
	for name, change := range changing {
		all = append(all, promise{name + " leaves a note for every pass that it changes", func(t *testing.T, s *store.Store) {
			noted(t, s, setScene(t, s), change)
		}})
	}
	for name, change := range joining {
		all = append(all, promise{name + " leaves a note for every pass that it changes", func(t *testing.T, s *store.Store) {
			c := setScene(t, s)
			_, err := s.RemoveGroupMembers(t.Context(), c.group.ID, []string{c.ada.ID})
			do(t, err)
			c.other = addOrganization(t, s, "third")
			idp := addIdP(t, s, "am-third", c.other)
			token := Token("third", c.ada.ID)
			token.Method = session.Method{Kind: session.SAML, ID: idp.ID}
			do(t, s.AddToken(t.Context(), token))
			c.tokens = append(c.tokens, token)
			noted(t, s, c, change)
		}})
	}
	slices.SortFunc(all, func(a, b promise) int { return strings.Compare(a.sentence, b.sentence) })
	return all
}

// noted makes a change, and wants a note for each pass that is another after
// it. The last use of a token, and the end that this gives it, are no part of
// that.
func noted(t *testing.T, s *store.Store, c *scene, change func(context.Context, *store.Store, *scene) error) {
	t.Helper()
	before := c.passes(t, s)
	keys := told(t, s, func() error { return change(t.Context(), s, c) })
	after := c.passes(t, s)
	changed := 0
	for at, p := range before {
		diff := cmp.Diff(p, after[at], cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(session.Token{}, "LastUse", "ExpiresAt"))
		if diff == "" {
			continue
		}
		changed++
		if !slices.ContainsFunc(p.Keys(at.hash), func(key string) bool { return slices.Contains(keys, key) }) {
			t.Errorf("at %v a pass changed, and none of the notes %q is about it:\n%s", at.where, keys, diff)
		}
	}
	if changed == 0 {
		t.Error("no pass changed: this shows nothing")
	}
}
