package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// Limits of groups.
const (
	mostGroups        = 300    // of one organization
	mostGroupMembers  = 10_000 // of one group
	mostGroupChange   = 1024   // people whom one call adds or removes
	mostGroupName     = 128    // characters
	mostDescription   = 4096   // characters
	idsInOneDetail    = 100    // of an event: 100 ids have less than 2 KiB
	groupLimitReached = "organization_limit_reached"
)

// A Group is some of an organization's members, by name.
type Group struct {
	ID             string // ug…
	OrganizationID string
	Name           string // up to 128 characters; Key of it is unique in the organization
	IdPManaged     bool   // identity providers put people into it and take them out, by its name
	Description    string // up to 4,096 characters, in lines; may be empty
	CreatedAt      time.Time
	UpdatedAt      time.Time // of the name and the description
}

// Key is the name as it is compared: without upper and lower case, as
// strings.EqualFold does.
func (g Group) Key() string {
	return strings.Map(func(r rune) rune {
		// The letters that are one but for their case lead to each other in a
		// circle, in ascending order but for the last step.
		for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(r) {
			if next <= r {
				return next
			}
			r = next
		}
	}, g.Name)
}

// A GroupSize is a group and how many members it has.
type GroupSize struct {
	Group
	Members int
}

// A GroupMember is a person in a group.
type GroupMember struct {
	User
	AddedAt time.Time
}

// GroupStore is what Groups needs of storage. Whoever stops being a member of
// the organization is a member of none of its groups any more, and of none
// when they come back.
type GroupStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization is that of OrganizationStore.
	LockOrganization(ctx context.Context, id string) error

	// AddGroup inserts a group. It returns fault.Exists at "user_group_name"
	// if the organization has another of this Key, and without a field if the
	// id is taken; neither ends a transaction. So does UpdateGroup, which
	// writes Name, Description, IdPManaged and UpdatedAt.
	AddGroup(ctx context.Context, g Group) error
	UpdateGroup(ctx context.Context, g Group) error

	// DeleteGroup removes a group and who is in it.
	DeleteGroup(ctx context.Context, organizationID, id string) error

	// GroupJoiners names the identity providers of an organization that bring
	// new people to a group, in order.
	GroupJoiners(ctx context.Context, organizationID, groupID string) ([]string, error)

	// Groups lists an organization's groups by their Key.
	Groups(ctx context.Context, organizationID string) ([]GroupSize, error)

	// Group returns fault.NotFound if the organization has no such group; so
	// do UpdateGroup and DeleteGroup.
	Group(ctx context.Context, organizationID, id string) (GroupSize, error)

	// GroupMembers lists who is in a group, by address.
	GroupMembers(ctx context.Context, groupID string) ([]GroupMember, error)

	// MemberByAddress gives the member of an organization who has an address,
	// or fault.NotFound.
	MemberByAddress(ctx context.Context, organizationID, email string) (User, error)

	// MembersAmong gives those of the users who are members of an
	// organization.
	MembersAmong(ctx context.Context, organizationID string, userIDs []string) ([]string, error)

	// AddGroupMembers adds those of the users who are members of the group's
	// organization and not in the group yet, and gives their ids;
	// RemoveGroupMembers removes those who are in it.
	AddGroupMembers(ctx context.Context, groupID string, userIDs []string, at time.Time) ([]string, error)
	RemoveGroupMembers(ctx context.Context, groupID string, userIDs []string) ([]string, error)
}

// Groups keeps groups.
type Groups struct {
	Store GroupStore
	NewID func() string // ug…
	Now   func() time.Time
	Audit *audit.Log

	// Keep refuses members with whom nobody could administer the organization,
	// in the transaction in which they came or went; nil: none are refused.
	Keep func(ctx context.Context, organizationID, groupID string) error
}

// List gives an organization's groups by name.
func (s *Groups) List(ctx context.Context, o Organization) ([]GroupSize, error) {
	list, err := s.Store.Groups(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("list groups of %s: %w", o.ID, err)
	}
	return list, nil
}

// Get finds a group of an organization, or gives fault.NotFound.
func (s *Groups) Get(ctx context.Context, o Organization, id string) (GroupSize, error) {
	g, err := s.Store.Group(ctx, o.ID, id)
	if err != nil {
		return GroupSize{}, fmt.Errorf("find group %s: %w", id, err)
	}
	return g, nil
}

// Members lists who is in a group of an organization, by address. It returns
// fault.NotFound if the organization has no such group.
func (s *Groups) Members(ctx context.Context, o Organization, id string) ([]GroupMember, error) {
	if _, err := s.Get(ctx, o, id); err != nil {
		return nil, err
	}
	list, err := s.Store.GroupMembers(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list members of group %s: %w", id, err)
	}
	return list, nil
}

// Add makes a group without members, of the Name, the Description and
// IdPManaged of g. It returns fault.Invalid at user_group_name or description,
// fault.Exists at user_group_name, and fault.Denied at the limit.
func (s *Groups) Add(ctx context.Context, by Actor, o Organization, g Group) (Group, error) {
	now := s.Now()
	g.OrganizationID, g.CreatedAt, g.UpdatedAt = o.ID, now, now
	var err error
	if g.Name, err = groupName(g.Name); err != nil {
		return Group{}, err
	}
	if g.Description, err = groupDescription(g.Description); err != nil {
		return Group{}, err
	}
	err = ident.Retry(IDTaken, func() error {
		g.ID = s.NewID()
		return s.add(ctx, by, g)
	})
	if err != nil {
		return Group{}, fmt.Errorf("add group to %s: %w", o.ID, err)
	}
	return g, nil
}

func (s *Groups) add(ctx context.Context, by Actor, g Group) error {
	return s.change(ctx, g.OrganizationID, func(ctx context.Context) error {
		groups, err := s.Store.Groups(ctx, g.OrganizationID)
		if err != nil {
			return err
		}
		if len(groups) >= mostGroups {
			return fault.Denied.Errorf("The organization has %d groups, which is the most.", len(groups)).Coded(groupLimitReached)
		}
		if err := s.Store.AddGroup(ctx, g); err != nil {
			return err
		}
		details := audit.Details{}
		if g.Description != "" {
			details["description"] = g.Description
		}
		if g.IdPManaged {
			details["idp_managed"] = "true"
		}
		return s.Audit.Record(ctx, by.Did(audit.GroupCreate, g.OrganizationID, g.Target(), details))
	})
}

// A GroupChange says what is to change of a group; a nil field stays.
type GroupChange struct {
	Name        *string
	Description *string
	IdPManaged  *bool
}

// apply changes a group as somebody wants it.
func (c GroupChange) apply(g *Group) (err error) {
	if c.Name != nil {
		if g.Name, err = groupName(*c.Name); err != nil {
			return err
		}
	}
	if c.Description != nil {
		if g.Description, err = groupDescription(*c.Description); err != nil {
			return err
		}
	}
	if c.IdPManaged != nil {
		g.IdPManaged = *c.IdPManaged
	}
	return nil
}

// Update renames a group, describes it anew, and says whether identity
// providers fill it. Who is in it stays: whom identity providers put in, they
// take out only while they fill it. It returns fault.NotFound, fault.Invalid at
// user_group_name or description, fault.Exists at user_group_name, and
// fault.Conflict with code user_group_in_use for a group to which an identity
// provider brings new people and which they are to fill.
func (s *Groups) Update(ctx context.Context, by Actor, o Organization, id string, c GroupChange) (Group, error) {
	var out Group
	err := s.change(ctx, o.ID, func(ctx context.Context) error {
		found, err := s.Store.Group(ctx, o.ID, id)
		if err != nil {
			return err
		}
		before, g := found.Group, found.Group
		if err := c.apply(&g); err != nil {
			return err
		}
		if g.IdPManaged && !before.IdPManaged {
			if err := s.joinedByAll(ctx, o, id); err != nil {
				return err
			}
		}
		g.UpdatedAt = s.Now()
		out = g
		if err := s.Store.UpdateGroup(ctx, g); err != nil {
			return err
		}
		details := audit.Details{}
		details.Changed("user_group_name", before.Name, g.Name)
		details.Changed("description", before.Description, g.Description)
		details.Changed("idp_managed", strconv.FormatBool(before.IdPManaged), strconv.FormatBool(g.IdPManaged))
		return s.Audit.Record(ctx, by.Did(audit.GroupUpdate, o.ID, g.Target(), details))
	})
	if err != nil {
		return Group{}, fmt.Errorf("update group %s: %w", id, err)
	}
	return out, nil
}

// joinedByAll returns fault.Conflict if an identity provider brings all new
// people to a group.
func (s *Groups) joinedByAll(ctx context.Context, o Organization, id string) error {
	names, err := s.Store.GroupJoiners(ctx, o.ID, id)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return nil
	}
	return fault.Conflict.Errorf("Whoever is new through %s joins this group. Name another group there first, or none.", strings.Join(names, ", ")).Coded("user_group_in_use")
}

// Delete ends a group; its members stay in the organization. It returns
// fault.NotFound, and fault.Conflict with code user_group_in_use for a group to
// which an identity provider brings new people.
func (s *Groups) Delete(ctx context.Context, by Actor, o Organization, id string) error {
	err := s.change(ctx, o.ID, func(ctx context.Context) error {
		g, err := s.Store.Group(ctx, o.ID, id)
		if err != nil {
			return err
		}
		if err := s.joinedByAll(ctx, o, id); err != nil {
			return err
		}
		if err := s.Store.DeleteGroup(ctx, o.ID, id); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.GroupDelete, o.ID, g.Target(), audit.Details{"member_count": strconv.Itoa(g.Members)}))
	})
	if err != nil {
		return fmt.Errorf("delete group %s: %w", id, err)
	}
	return nil
}

// AddMembers puts members of the organization into a group, all or none.
// Whoever is in it already stays. It returns fault.NotFound for the group,
// fault.Invalid at member_ids for somebody who is no member or for more than
// 1,024 people, fault.Denied at the limit, and fault.Conflict with code
// resource_managed_by_scim for a group that identity providers fill.
func (s *Groups) AddMembers(ctx context.Context, by Actor, o Organization, id string, userIDs []string) error {
	return s.changeMembers(ctx, by, o, id, userIDs, audit.GroupAddMembers, func(ctx context.Context, g GroupSize, userIDs []string) ([]string, error) {
		known, err := s.Store.MembersAmong(ctx, o.ID, userIDs)
		if err != nil {
			return nil, err
		}
		isMember := map[string]bool{}
		for _, userID := range known {
			isMember[userID] = true
		}
		for _, userID := range userIDs {
			if !isMember[userID] {
				return nil, fault.Invalid.Errorf("The organization has no member with the id %q. Nobody was added.", clipID(userID)).At("member_ids")
			}
		}
		added, err := s.Store.AddGroupMembers(ctx, id, userIDs, s.Now())
		if err == nil && g.Members+len(added) > mostGroupMembers {
			err = fault.Denied.Errorf("A group has at most %d members, and this one has %d. Nobody was added.", mostGroupMembers, g.Members).Coded(groupLimitReached)
		}
		return added, err
	})
}

// AddByAddress puts the member of the organization who has an address into a
// group. It returns fault.Invalid at email if there is none, whoever else has
// the address, and otherwise what AddMembers does.
func (s *Groups) AddByAddress(ctx context.Context, by Actor, o Organization, id, address string) error {
	email, err := NormalizeEmail(address)
	if err != nil {
		return err
	}
	u, err := s.Store.MemberByAddress(ctx, o.ID, email)
	if errors.Is(err, fault.NotFound) {
		return fault.Invalid.Errorf("%s has no member with the address %s.", o.Name, email).At("email")
	}
	if err != nil {
		return fmt.Errorf("find member: %w", err)
	}
	return s.AddMembers(ctx, by, o, id, []string{u.ID})
}

// RemoveMembers takes people out of a group. Whoever is not in it is passed
// over. It returns fault.NotFound for the group, fault.Invalid at member_ids
// for more than 1,024 people, and fault.Conflict as AddMembers does.
func (s *Groups) RemoveMembers(ctx context.Context, by Actor, o Organization, id string, userIDs []string) error {
	return s.changeMembers(ctx, by, o, id, userIDs, audit.GroupRemoveMembers, func(ctx context.Context, _ GroupSize, userIDs []string) ([]string, error) {
		return s.Store.RemoveGroupMembers(ctx, id, userIDs)
	})
}

// changeMembers does what add and remove have in common; do gives who was
// added or removed. Where nobody was, there is no event.
func (s *Groups) changeMembers(ctx context.Context, by Actor, o Organization, id string, userIDs []string, action string, do func(context.Context, GroupSize, []string) ([]string, error)) error {
	switch {
	case len(userIDs) == 0:
		return fault.Invalid.Errorf("Name at least one person.").At("member_ids")
	case len(userIDs) > mostGroupChange:
		return fault.Invalid.Errorf("At most %d people can be named at once.", mostGroupChange).At("member_ids")
	}
	err := s.change(ctx, o.ID, func(ctx context.Context) error {
		g, err := s.Store.Group(ctx, o.ID, id)
		if err != nil {
			return err
		}
		if g.IdPManaged {
			return fault.Conflict.Errorf("Identity providers put people into the group %s and take them out: change it there, or make it a group that they do not fill.", g.Name).Coded("resource_managed_by_scim")
		}
		changed, err := do(ctx, g, userIDs)
		if err != nil || len(changed) == 0 {
			return err
		}
		if s.Keep != nil {
			if err := s.Keep(ctx, o.ID, id); err != nil {
				return err
			}
		}
		return s.Audit.Record(ctx, by.Did(action, o.ID, g.Target(), idDetails(changed)))
	})
	if err != nil {
		return fmt.Errorf("change members of group %s: %w", id, err)
	}
	return nil
}

// change runs a transaction that nobody else runs on the organization.
func (s *Groups) change(ctx context.Context, organizationID string, fn func(ctx context.Context) error) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, organizationID); err != nil {
			return err
		}
		return fn(ctx)
	})
}

// idDetails lists ids in as many details as they need: member_ids,
// member_ids.2 and so on.
func idDetails(ids []string) audit.Details {
	details := audit.Details{}
	slices.Sort(ids)
	n := 0
	for part := range slices.Chunk(ids, idsInOneDetail) {
		n++
		name := "member_ids"
		if n > 1 {
			name += "." + strconv.Itoa(n)
		}
		details[name] = strings.Join(part, " ")
	}
	return details
}

// clipID keeps a text that was to be an id short enough to be repeated.
func clipID(s string) string {
	if len(s) > 36 {
		return strings.ToValidUTF8(s[:36], "") + "…"
	}
	return s
}

func groupName(name string) (string, error) {
	name, err := CleanText(name, "user_group_name", mostGroupName)
	if err == nil && name == "" {
		err = fault.Invalid.Errorf("Give the group a name.").At("user_group_name")
	}
	return name, err
}

// groupDescription takes a text of several lines as it is: a client that finds
// another one than it sent would send it again and again.
func groupDescription(text string) (string, error) {
	if utf8.RuneCountInString(text) > mostDescription {
		return "", fault.Invalid.Errorf("This has more than %d characters.", mostDescription).At("description")
	}
	for line := range strings.SplitSeq(text, "\n") {
		if _, err := CleanText(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", " "), "description", mostDescription); err != nil {
			return "", err
		}
	}
	return text, nil
}
