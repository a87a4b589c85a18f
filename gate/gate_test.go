package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// places holds two organizations. Alice administers the first, Bob is a member
// of it, Carol of neither.
type places struct {
	session.Store
	bearers map[[sha256.Size]byte]session.Bearer
}

func organization(id string) account.Organization {
	switch id {
	case "org1", "org2", "org4":
		return account.Organization{ID: id, Name: "Acme"}
	case "org3":
		return account.Organization{ID: id, Name: "Gone", Suspended: true}
	}
	return account.Organization{}
}

func accountOf(id string) account.Account {
	switch id {
	case "a1":
		return account.Account{ID: "a1", OrganizationID: "org1"}
	case "a2":
		return account.Account{ID: "a2", OrganizationID: "org2"}
	}
	return account.Account{}
}

func member(org, user string) (account.Member, bool) {
	switch org + " " + user {
	case "org1 alice", "org3 alice", "org4 alice":
		return account.Member{OrganizationID: org, UserID: user, SuperAdmin: true}, true
	case "org1 bob":
		return account.Member{OrganizationID: org, UserID: user}, true
	}
	return account.Member{}, false
}

func (p *places) AddToken(_ context.Context, t session.Token) error {
	p.bearers[t.Hash] = session.Bearer{Token: t, User: account.User{ID: t.UserID, State: account.ActiveUser, Operator: t.UserID == "operator"}, MethodUsable: true, Linked: true}
	return nil
}

func (p *places) Pass(_ context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	b, ok := p.bearers[hash]
	if !ok {
		return gate.Pass{}, fault.NotFound
	}
	pass, a := gate.Pass{Bearer: b}, accountOf(where.AccountID)
	id := where.OrganizationID + a.OrganizationID
	m, is := member(id, b.User.ID)
	if is {
		pass.Member, pass.Account = m, a
		pass.Place = policy.Place{Organization: organization(id), Policy: policy.Policy{OrganizationID: id, Rules: policy.Usual()}}
	}
	return pass, nil
}

func (p *places) Places(context.Context, string) ([]gate.Belonging, error) { return nil, nil }

func TestWhoMayComeIn(t *testing.T) {
	p := &places{bearers: map[[sha256.Size]byte]session.Bearer{}}
	tokens := &session.Tokens{Store: p, Lifetime: time.Hour, Now: time.Now}
	g := &gate.Gate{Store: p, Now: time.Now}
	text := map[string]string{"nobody": ""}
	recovery := session.Method{Kind: session.Recovery, ID: "org1"}
	for who, grant := range map[string]session.Grant{
		"alice":              {UserID: "alice"},
		"bob":                {UserID: "bob"},
		"carol":              {UserID: "carol"},
		"operator":           {UserID: "operator"},
		"recovered alice":    {UserID: "alice", Method: recovery},
		"recovered carol":    {UserID: "carol", Method: recovery},
		"recovered operator": {UserID: "operator", Method: recovery},
	} {
		if grant.Method.Kind == "" {
			grant.Method.Kind = session.Password
		}
		s, _, err := tokens.Issue(context.Background(), grant)
		if err != nil {
			t.Fatal(err)
		}
		text[who] = s
	}
	for _, c := range []struct {
		who  string
		need account.Permission
		org  string
		acct string
		want error
	}{
		{"nobody", account.Anyone, "", "", nil},
		{"nobody", account.ReadSelf, "", "", fault.Unauthenticated},
		{"nobody", account.ReadOrganization, "org1", "", fault.Unauthenticated},
		{"nobody", account.ReadOrganization, "org9", "", fault.Unauthenticated},
		{"alice", account.ReadSelf, "", "", nil},
		{"alice", account.WriteIdPs, "org1", "", nil},
		{"alice", account.WriteIdPs, "", "a1", nil},
		{"alice", account.WriteIdPs, "org2", "", fault.NotFound},
		{"alice", account.WriteIdPs, "", "a2", fault.NotFound},
		{"alice", account.WriteIdPs, "org9", "", fault.NotFound},
		{"alice", account.WriteIdPs, "", "a9", fault.NotFound},
		{"alice", account.ReadOrganization, "org3", "", fault.Denied},
		{"alice", account.ReadOrganization, "", "", fault.NotFound},
		{"alice", account.Permission("unheard of"), "org1", "", fault.Denied},
		{"bob", account.ReadOrganization, "org1", "", nil},
		{"bob", account.WriteOrganization, "org1", "", fault.Denied},
		{"bob", account.WriteIdPs, "", "a1", fault.Denied},
		{"carol", account.ReadOrganization, "org1", "", fault.NotFound},
		{"carol", account.ReadOrganization, "", "a1", fault.NotFound},
		{"alice", account.ReadAudit, "org1", "", nil},
		{"bob", account.ReadAudit, "org1", "", fault.Denied},
		{"nobody", account.Operate, "", "", fault.Unauthenticated},
		{"alice", account.Operate, "", "", fault.Denied},
		{"alice", account.Operate, "org1", "", fault.Denied},
		{"operator", account.Operate, "", "", nil},
		{"operator", account.ReadAudit, "org1", "", fault.NotFound},
		{"recovered alice", account.WriteIdPs, "org1", "", nil},
		{"recovered alice", account.ReadSelf, "", "", nil},
		{"recovered alice", account.Leave, "", "", nil},
		{"recovered alice", account.WriteSelf, "", "", fault.Denied},
		{"recovered alice", account.MakeOrganizations, "", "", fault.Denied},
		{"recovered alice", account.WriteTokens, "", "", fault.Denied},
		{"recovered alice", account.ReadOrganization, "org4", "", fault.Denied},
		{"recovered alice", account.ReadOrganization, "org2", "", fault.NotFound},
		{"recovered carol", account.ReadOrganization, "org1", "", fault.NotFound},
		{"recovered operator", account.Operate, "", "", fault.Denied},
	} {
		v, err := g.Admit(context.Background(), gate.Request{Token: text[c.who], Need: c.need, OrganizationID: c.org, AccountID: c.acct})
		if !errors.Is(err, c.want) {
			t.Errorf("%s for %s at %s%s: got %v, want %v", c.who, c.need, c.org, c.acct, err, c.want)
		}
		if err != nil && v.LoggedIn() {
			t.Errorf("%s for %s at %s%s: refused, and yet a visit of %s", c.who, c.need, c.org, c.acct, v.User.ID)
		}
	}
}

func TestWhoDoesNotBelongCannotTellWhetherAPlaceExists(t *testing.T) {
	p := &places{bearers: map[[sha256.Size]byte]session.Bearer{}}
	tokens := &session.Tokens{Store: p, Lifetime: time.Hour, Now: time.Now}
	g := &gate.Gate{Store: p, Now: time.Now}
	carol, _, _ := tokens.Issue(context.Background(), session.Grant{UserID: "carol"})
	ask := func(org string) string {
		_, err := g.Admit(context.Background(), gate.Request{Token: carol, Need: account.ReadOrganization, OrganizationID: org})
		return fault.Of(err).Message
	}
	if there, gone := ask("org1"), ask("org9"); len(there) != len(gone) {
		t.Errorf("got %q and %q, want them alike but for the id", there, gone)
	}
}
