package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/store"
)

var recoveries = []promise{
	{"a recovery link comes back as it was added, until it ends or is used", func(t *testing.T, s *store.Store) {
		hash, link := addRecovery(t, s)
		got, err := s.RecoveryLink(t.Context(), hash, Then)
		do(t, err)
		same(t, got, link)
		_, err = s.RecoveryLink(t.Context(), hash, link.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, err = s.RecoveryLink(t.Context(), sha256.Sum256([]byte("other")), Then)
		isFault(t, err, fault.NotFound)
		_, err = s.TakenRecoveryLink(t.Context(), "flow")
		isFault(t, err, fault.NotFound)

		until := Then.Add(time.Hour)
		_, err = s.TakeRecoveryLink(t.Context(), hash, "flow", Then, until)
		do(t, err)
		_, err = s.RecoveryLink(t.Context(), hash, Then)
		isFault(t, err, fault.NotFound)
		link.ExpiresAt = until
		got, err = s.TakenRecoveryLink(t.Context(), "flow")
		do(t, err)
		same(t, got, link)
	}},
	{"a recovery link is used once, whoever comes at the same time", func(t *testing.T, s *store.Store) {
		hash, _ := addRecovery(t, s)
		won := race(t, 8, fault.NotFound, func(ctx context.Context, i int) error {
			_, err := s.TakeRecoveryLink(ctx, hash, fmt.Sprintf("flow-%d", i), Then, Then.Add(time.Hour))
			return err
		})
		same(t, won, 1)
	}},
	{"a recovery link that is over is not used", func(t *testing.T, s *store.Store) {
		hash, link := addRecovery(t, s)
		_, err := s.TakeRecoveryLink(t.Context(), hash, "flow", link.ExpiresAt, Then.Add(time.Hour))
		isFault(t, err, fault.NotFound)
		n, err := s.Sweep(t.Context(), link.ExpiresAt)
		do(t, err)
		same(t, n, int64(1))
	}},
	{"a recovery link of nobody, or to nowhere, is refused", func(t *testing.T, s *store.Store) {
		_, link := addRecovery(t, s)
		nobody, nowhere := link, link
		nobody.UserID, nowhere.OrganizationID = "u-nobody", "org-none"
		isFault(t, s.AddRecoveryLink(t.Context(), sha256.Sum256([]byte("1")), nobody), fault.NotFound)
		isFault(t, s.AddRecoveryLink(t.Context(), sha256.Sum256([]byte("2")), nowhere), fault.NotFound)
	}},
	{"a member becomes a super admin, and somebody else does not", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		o := addOrganization(t, s, "acme")
		addMember(t, s, o, ada, false)
		addMember(t, s, o, eve, false)
		do(t, s.SetSuperAdmin(t.Context(), o.ID, ada.ID, true))
		for id, want := range map[string]bool{ada.ID: true, eve.ID: false} {
			m, err := s.Member(t.Context(), o.ID, id)
			do(t, err)
			same(t, m, account.Member{OrganizationID: o.ID, UserID: id, SuperAdmin: want, JoinedAt: Then})
		}
		isFault(t, s.SetSuperAdmin(t.Context(), o.ID, "u-nobody", true), fault.NotFound)
	}},
	{"the token of a recovery names its organization, and counts", func(t *testing.T, s *store.Store) {
		_, link := addRecovery(t, s)
		token := Token("recovered", link.UserID)
		token.Method = session.Method{Kind: session.Recovery, ID: link.OrganizationID}
		do(t, s.AddToken(t.Context(), token))
		b, err := bearer(t, s, token.Hash)
		do(t, err)
		same(t, b.Token, token)
		same(t, b.MethodUsable && b.Linked, true)
		gone, err := s.DeleteToken(t.Context(), token.Hash)
		do(t, err)
		same(t, gone, session.Deleted{Prefix: token.Prefix, User: User("ada").Audit(), OrganizationID: link.OrganizationID})
	}},
}

func addRecovery(t testing.TB, s *store.Store) ([sha256.Size]byte, login.RecoveryLink) {
	t.Helper()
	ada, o := addUser(t, s, "ada"), addOrganization(t, s, "acme")
	addMember(t, s, o, ada, true)
	hash, link := sha256.Sum256([]byte("secret")), login.RecoveryLink{OrganizationID: o.ID, UserID: ada.ID, ExpiresAt: Then.Add(15 * time.Minute)}
	do(t, s.AddRecoveryLink(t.Context(), hash, link))
	return hash, link
}
