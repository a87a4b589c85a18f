package store

import (
	"context"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

var (
	_ account.PeopleStore       = (*Store)(nil)
	_ account.OrganizationStore = (*Store)(nil)
)

// userColumns are what scanUser reads, of a person p.
const userColumns = `p.id, p.email, p.real_name, p.state, p.is_operator, p.address_proved,
	p.managing_organization_id, p.tokens_valid_from,
	p.city, p.country, p.department, p.job_title, p.created_at, p.updated_at`

// userFields are where userColumns go.
func userFields(u *account.User) []any {
	return []any{
		&u.ID, &u.Email, &u.RealName, &u.State, &u.Operator, &u.AddressProved,
		text{&u.ManagingOrganizationID}, moment{&u.TokensValidFrom},
		&u.City, &u.Country, &u.Department, &u.JobTitle, moment{&u.CreatedAt}, moment{&u.UpdatedAt},
	}
}

func scanUser(r row) (u account.User, err error) {
	return u, r.Scan(userFields(&u)...)
}

const noUser = "There is no such user."

// AddUser implements account.PeopleStore and login.Store.
func (s *Store) AddUser(ctx context.Context, u account.User, passwordHash string) error {
	taken := fault.Exists.Errorf("There is an account with the address %s already.", u.Email).At("email")
	added, err := s.exec(ctx, `
		INSERT INTO person (id, email, real_name, state, is_operator, address_proved,
			managing_organization_id, tokens_valid_from, city, country, department, job_title,
			password_hash, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT DO NOTHING`,
		u.ID, u.Email, u.RealName, string(u.State), u.Operator, u.AddressProved,
		textOrNull(u.ManagingOrganizationID), stampOrNull(u.TokensValidFrom),
		u.City, u.Country, u.Department, u.JobTitle,
		passwordHash, stamp(u.CreatedAt), stamp(u.UpdatedAt))
	if err != nil || added > 0 {
		return err
	}
	same, err := one(ctx, s, func(r row) (same bool, err error) { return same, r.Scan(&same) },
		`SELECT EXISTS (SELECT 1 FROM person WHERE email = $1)`, u.Email)
	if err == nil && !same {
		return fault.Exists.Errorf("There is a user with this id already.")
	}
	if err != nil {
		return err
	}
	return taken
}

// User implements account.PeopleStore and login.Store.
func (s *Store) User(ctx context.Context, id string) (account.User, error) {
	u, err := one(ctx, s, scanUser, `SELECT `+userColumns+` FROM person p WHERE p.id = $1`, id)
	return u, missing(err, noUser)
}

// UserByEmail implements account.PeopleStore.
func (s *Store) UserByEmail(ctx context.Context, email string) (account.User, error) {
	u, err := one(ctx, s, scanUser, `SELECT `+userColumns+` FROM person p WHERE p.email = $1`, email)
	return u, missing(err, noUser)
}

// UpdateUser implements account.PeopleStore.
func (s *Store) UpdateUser(ctx context.Context, u account.User) error {
	return s.noting(ctx, gate.UserKey(u.ID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf(noUser), `
			UPDATE person SET real_name = $2, city = $3, country = $4, department = $5, job_title = $6, updated_at = $7
			WHERE id = $1`,
			u.ID, u.RealName, u.City, u.Country, u.Department, u.JobTitle, stamp(u.UpdatedAt))
	})
}

// HasUsers implements account.PeopleStore.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	return one(ctx, s, func(r row) (has bool, err error) { return has, r.Scan(&has) },
		`SELECT EXISTS (SELECT 1 FROM person)`)
}
