package api

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// memory is a store for tests of the wire alone. Transactions are not undone.
type memory struct {
	login.Store // what the API never asks for

	mu            sync.Mutex
	users         []account.User
	hashes        map[string]string // of passwords, by user
	tokens        map[[sha256.Size]byte]session.Token
	organizations []account.Organization
	accounts      []account.Account
	members       []account.Member
	idps          []*sso.IdP

	broken error // what everything answers, if not nil
}

func newMemory() *memory {
	return &memory{hashes: map[string]string{}, tokens: map[[sha256.Size]byte]session.Token{}}
}

func (m *memory) Tx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func find[T any](m *memory, list []T, is func(T) bool) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var none T
	if m.broken != nil {
		return none, m.broken
	}
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], nil
	}
	return none, fault.NotFound
}

func (m *memory) User(_ context.Context, id string) (account.User, error) {
	return find(m, m.users, func(u account.User) bool { return u.ID == id })
}

func (m *memory) UserByEmail(_ context.Context, email string) (account.User, error) {
	return find(m, m.users, func(u account.User) bool { return u.Email == email })
}

func (m *memory) UserWithPassword(ctx context.Context, email string) (account.User, string, error) {
	u, err := m.UserByEmail(ctx, email)
	return u, m.hashes[u.ID], err
}

func (m *memory) HasUsers(context.Context) (bool, error) { return len(m.users) > 0, nil }

func (m *memory) AddUser(ctx context.Context, u account.User, hash string) error {
	if _, err := m.UserByEmail(ctx, u.Email); err == nil {
		return fault.Exists.Errorf("The address %s has an account already.", u.Email).At("email")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users, m.hashes[u.ID] = append(m.users, u), hash
	return nil
}

func (m *memory) UpdateUser(_ context.Context, u account.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.users {
		if m.users[i].ID == u.ID {
			m.users[i] = u
		}
	}
	return nil
}

func (m *memory) AddToken(_ context.Context, t session.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[t.Hash] = t
	return nil
}

func (m *memory) Bearer(ctx context.Context, hash [sha256.Size]byte) (session.Bearer, error) {
	m.mu.Lock()
	t, found := m.tokens[hash]
	m.mu.Unlock()
	if !found {
		return session.Bearer{}, fault.NotFound
	}
	u, err := m.User(ctx, t.UserID)
	return session.Bearer{Token: t, User: u, MethodUsable: true, Linked: true}, err
}

func (m *memory) DeleteToken(_ context.Context, hash [sha256.Size]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tokens, hash)
	return nil
}

func (m *memory) AddOrganization(_ context.Context, o account.Organization, root account.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.organizations, m.accounts = append(m.organizations, o), append(m.accounts, root)
	return nil
}

func (m *memory) Organization(_ context.Context, id string) (account.Organization, error) {
	return find(m, m.organizations, func(o account.Organization) bool { return o.ID == id })
}

func (m *memory) LockOrganization(ctx context.Context, id string) error {
	_, err := m.Organization(ctx, id)
	return err
}

func (m *memory) UpdateOrganization(_ context.Context, o account.Organization) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.organizations {
		if m.organizations[i].ID == o.ID {
			m.organizations[i] = o
		}
	}
	for i := range m.accounts {
		if m.accounts[i].ID == o.AccountID {
			m.accounts[i].Name, m.accounts[i].UpdatedAt = o.Name, o.UpdatedAt
		}
	}
	return nil
}

func (m *memory) Memberships(ctx context.Context, userID string) ([]account.Membership, error) {
	var out []account.Membership
	for _, member := range m.members {
		if member.UserID != userID {
			continue
		}
		o, err := m.Organization(ctx, member.OrganizationID)
		if err != nil {
			return nil, err
		}
		out = append(out, account.Membership{Organization: o, SuperAdmin: member.SuperAdmin})
	}
	return out, m.broken
}

func (m *memory) Member(_ context.Context, organizationID, userID string) (account.Member, error) {
	return find(m, m.members, func(x account.Member) bool { return x.OrganizationID == organizationID && x.UserID == userID })
}

func (m *memory) AddMember(_ context.Context, member account.Member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members = append(m.members, member)
	return nil
}

func (m *memory) AddAccount(_ context.Context, a account.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accounts = append(m.accounts, a)
	return nil
}

func (m *memory) Account(_ context.Context, id string) (account.Account, error) {
	return find(m, m.accounts, func(a account.Account) bool { return a.ID == id })
}

func (m *memory) AccountsOf(ctx context.Context, userID string) ([]account.Account, error) {
	var out []account.Account
	for _, a := range m.accounts {
		if _, err := m.Member(ctx, a.OrganizationID, userID); err == nil {
			out = append(out, a)
		}
	}
	return out, nil
}

func (m *memory) Units(_ context.Context, organizationID string) ([]account.Account, error) {
	var out []account.Account
	for _, a := range m.accounts {
		if a.OrganizationID == organizationID && a.ParentID != "" {
			out = append(out, a)
		}
	}
	return out, nil
}

func (m *memory) UpdateAccount(_ context.Context, a account.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.accounts {
		if m.accounts[i].ID == a.ID {
			m.accounts[i] = a
		}
	}
	return nil
}

func (m *memory) AddIdP(_ context.Context, i *sso.IdP) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idps = append(m.idps, i)
	return nil
}

func (m *memory) IdP(_ context.Context, id string) (*sso.IdP, error) {
	return find(m, m.idps, func(i *sso.IdP) bool { return i.ID == id })
}

func (m *memory) IdPOf(_ context.Context, accountID, id string) (*sso.IdP, error) {
	i, err := find(m, m.idps, func(i *sso.IdP) bool {
		return i.ID == id && i.AccountID == accountID && i.State != sso.Deleted
	})
	if err != nil {
		return nil, err
	}
	own := *i
	return &own, nil
}

func (m *memory) IdPsOf(_ context.Context, accountID string) ([]*sso.IdP, error) {
	var out []*sso.IdP
	for _, i := range m.idps {
		if i.AccountID == accountID && i.State != sso.Deleted {
			out = append(out, i)
		}
	}
	return out, nil
}

func (m *memory) CountIdPs(_ context.Context, organizationID string) (int, error) {
	n := 0
	for _, i := range m.idps {
		if i.OrganizationID == organizationID && i.State != sso.Deleted {
			n++
		}
	}
	return n, nil
}

func (m *memory) UpdateIdP(_ context.Context, i *sso.IdP) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := range m.idps {
		if m.idps[at].ID == i.ID {
			m.idps[at] = i
		}
	}
	return nil
}
