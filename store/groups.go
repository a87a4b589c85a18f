package store

import (
	"context"
	"strconv"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

var _ account.GroupStore = (*Store)(nil)

const groupColumns = `g.id, g.organization_id, g.name, g.description, g.idp_managed, g.created_at, g.updated_at,
	(SELECT count(*) FROM user_group_member gm WHERE gm.group_id = g.id)`

func scanGroup(r row) (g account.GroupSize, err error) {
	return g, r.Scan(&g.ID, &g.OrganizationID, &g.Name, &g.Description, &g.IdPManaged, moment{&g.CreatedAt}, moment{&g.UpdatedAt}, &g.Members)
}

func scanID(r row) (id string, err error) { return id, r.Scan(&id) }

func noGroup() *fault.Error {
	return fault.NotFound.Errorf("The organization has no such group.").Coded("user_group_not_found")
}

func groupNameTaken() *fault.Error {
	return fault.Exists.Errorf("Another group of the organization has this name. Upper and lower case count as the same.").
		At("user_group_name").Coded("user_group_names_must_be_unique")
}

// AddGroup implements account.GroupStore.
func (s *Store) AddGroup(ctx context.Context, g account.Group) error {
	added, err := s.exec(ctx, `
		INSERT INTO user_group (id, organization_id, name, name_key, description, idp_managed, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`,
		g.ID, g.OrganizationID, g.Name, g.Key(), g.Description, g.IdPManaged, stamp(g.CreatedAt), stamp(g.UpdatedAt))
	if err != nil || added > 0 {
		return err
	}
	return s.sameGroup(ctx, g, fault.Exists.Errorf("There is a group with this id already."))
}

// UpdateGroup implements account.GroupStore.
func (s *Store) UpdateGroup(ctx context.Context, g account.Group) error {
	changed, err := s.exec(ctx, `
		UPDATE user_group SET name = $3, name_key = $4, description = $5, updated_at = $6, idp_managed = $7
		WHERE id = $1 AND organization_id = $2 AND NOT EXISTS (
			SELECT 1 FROM user_group o WHERE o.organization_id = $2 AND o.name_key = $4 AND o.id <> $1)`,
		g.ID, g.OrganizationID, g.Name, g.Key(), g.Description, stamp(g.UpdatedAt), g.IdPManaged)
	if err != nil || changed > 0 {
		return err
	}
	return s.sameGroup(ctx, g, noGroup())
}

// sameGroup says why a group could not be kept: another has its name, or
// otherwise.
func (s *Store) sameGroup(ctx context.Context, g account.Group, otherwise *fault.Error) error {
	taken, err := one(ctx, s, func(r row) (taken bool, err error) { return taken, r.Scan(&taken) },
		`SELECT EXISTS (SELECT 1 FROM user_group WHERE organization_id = $1 AND name_key = $2 AND id <> $3)`,
		g.OrganizationID, g.Key(), g.ID)
	switch {
	case err != nil:
		return err
	case taken:
		return groupNameTaken()
	}
	return otherwise
}

// DeleteGroup implements account.GroupStore.
func (s *Store) DeleteGroup(ctx context.Context, organizationID, id string) error {
	return s.noting(ctx, gate.OrganizationKey(organizationID), func(ctx context.Context) error {
		return s.change(ctx, noGroup(), `DELETE FROM user_group WHERE id = $1 AND organization_id = $2`, id, organizationID)
	})
}

// GroupJoiners implements account.GroupStore.
func (s *Store) GroupJoiners(ctx context.Context, organizationID, groupID string) ([]string, error) {
	return all(ctx, s, scanID, `
		SELECT name FROM idp WHERE organization_id = $1 AND auto_join_group_id = $2 AND deleted_at IS NULL
		ORDER BY name, id`, organizationID, groupID)
}

// Groups implements account.GroupStore.
func (s *Store) Groups(ctx context.Context, organizationID string) ([]account.GroupSize, error) {
	return all(ctx, s, scanGroup, `
		SELECT `+groupColumns+` FROM user_group g WHERE g.organization_id = $1 ORDER BY g.name_key, g.id`, organizationID)
}

// Group implements account.GroupStore.
func (s *Store) Group(ctx context.Context, organizationID, id string) (account.GroupSize, error) {
	g, err := one(ctx, s, scanGroup, `
		SELECT `+groupColumns+` FROM user_group g WHERE g.id = $1 AND g.organization_id = $2`, id, organizationID)
	if f := fault.Of(err); f != nil && f.Kind == fault.NotFound {
		return g, noGroup()
	}
	return g, err
}

// GroupMembers implements account.GroupStore.
func (s *Store) GroupMembers(ctx context.Context, groupID string) ([]account.GroupMember, error) {
	return all(ctx, s, func(r row) (m account.GroupMember, err error) {
		return m, r.Scan(append(userFields(&m.User), moment{&m.AddedAt})...)
	}, `
		SELECT `+userColumns+`, gm.added_at
		FROM user_group_member gm JOIN person p ON p.id = gm.user_id
		WHERE gm.group_id = $1
		ORDER BY p.email`, groupID)
}

// MemberByAddress implements account.GroupStore.
func (s *Store) MemberByAddress(ctx context.Context, organizationID, email string) (account.User, error) {
	u, err := one(ctx, s, scanUser, `
		SELECT `+userColumns+` FROM person p JOIN member m ON m.user_id = p.id
		WHERE p.email = $2 AND m.organization_id = $1`, organizationID, email)
	return u, missing(err, "The organization has no member with this address.")
}

// MembersAmong implements account.GroupStore.
func (s *Store) MembersAmong(ctx context.Context, organizationID string, userIDs []string) ([]string, error) {
	list, args := inList(userIDs, organizationID)
	return all(ctx, s, scanID, `SELECT user_id FROM member WHERE organization_id = $1 AND user_id IN `+list, args...)
}

// AddGroupMembers implements account.GroupStore.
func (s *Store) AddGroupMembers(ctx context.Context, groupID string, userIDs []string, at time.Time) (added []string, err error) {
	list, args := inList(userIDs, groupID, stamp(at))
	err = s.Tx(ctx, func(ctx context.Context) error {
		added, err = all(ctx, s, scanID, `
			INSERT INTO user_group_member (group_id, user_id, organization_id, added_at)
			SELECT g.id, m.user_id, m.organization_id, $2
			FROM user_group g JOIN member m ON m.organization_id = g.organization_id
			WHERE g.id = $1 AND m.user_id IN `+list+`
			ON CONFLICT DO NOTHING
			RETURNING user_id`, args...)
		if err != nil || len(added) == 0 {
			return err
		}
		return s.noteGroup(ctx, groupID)
	})
	return added, err
}

// RemoveGroupMembers implements account.GroupStore.
func (s *Store) RemoveGroupMembers(ctx context.Context, groupID string, userIDs []string) (removed []string, err error) {
	list, args := inList(userIDs, groupID)
	err = s.Tx(ctx, func(ctx context.Context) error {
		removed, err = all(ctx, s, scanID, `
			DELETE FROM user_group_member WHERE group_id = $1 AND user_id IN `+list+`
			RETURNING user_id`, args...)
		if err != nil || len(removed) == 0 {
			return err
		}
		return s.noteGroup(ctx, groupID)
	})
	return removed, err
}

// noteGroup notes that people came into a group or left it, which a policy may
// be tried on: once for all of them, however many.
func (s *Store) noteGroup(ctx context.Context, groupID string) error {
	id, err := one(ctx, s, scanID, `SELECT organization_id FROM user_group WHERE id = $1`, groupID)
	if err == nil {
		s.note(ctx, gate.OrganizationKey(id))
	}
	return err
}

// inList writes the right side of an IN: parameters for the texts behind those
// that are there already. It gives them with all arguments. Texts that no row
// holds are left out.
func inList(texts []string, before ...any) (list string, args []any) {
	list, args = "(NULL", before // which nothing is equal to
	for _, t := range texts {
		if storable([]any{t}) {
			args = append(args, t)
			list += ", $" + strconv.Itoa(len(args))
		}
	}
	return list + ")", args
}
