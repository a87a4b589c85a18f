package storetest

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/session"
	"gatehouse/sso"
)

// Then is when everything in these tests happens. It has no more than
// microseconds, which is what is kept.
var Then = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// User is a person of a name.
func User(name string) account.User {
	return account.User{
		ID: "u-" + name, Email: name + "@example.com", RealName: "Person " + name, State: account.ActiveUser,
		CreatedAt: Then, UpdatedAt: Then, City: "Turku", Country: "FI", Department: "Sales", JobTitle: "Clerk",
	}
}

// Organization is an organization of a name.
func Organization(name string) account.Organization {
	return account.Organization{ID: "org-" + name, AccountID: "a-" + name, Name: name, Tier: "business", CreatedAt: Then, UpdatedAt: Then}
}

// Root is the root account of an organization.
func Root(o account.Organization) account.Account {
	return account.Account{ID: o.AccountID, OrganizationID: o.ID, Name: o.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
}

// IdP is an identity provider of an organization, active and without a
// certificate.
func IdP(id string, o account.Organization) *sso.IdP {
	return &sso.IdP{
		ID: id, OrganizationID: o.ID, AccountID: o.AccountID, Name: "Provider " + id, Enabled: true, State: sso.Active,
		Base: "https://sso.example.com",
		Settings: sso.Settings{
			EntityID: "https://idp.example.com/" + id, SSOURL: "https://idp.example.com/sso", Binding: sso.Redirect,
			DigestAlgorithm: "sha256", SignatureAlgorithm: "rsa-sha256",
		},
		SPCertificate: []byte{1, 2, 3}, SPKey: []byte{4, 5, 6}, CreatedAt: Then, UpdatedAt: Then,
	}
}

// Token is a session token of a user who logged in with a password.
func Token(name, userID string) session.Token {
	return session.Token{
		Hash: sha256.Sum256([]byte(name)), Prefix: "gts_" + name, UserID: userID, Kind: session.SessionToken,
		Method: session.Method{Kind: session.Password}, TwoFactor: true, Context: "urn:x:context",
		LoggedIn: Then, CreatedAt: Then, ExpiresAt: Then.Add(time.Hour),
		Description: "a token", UserAgent: "Browser/1.0", IP: netip.MustParseAddr("2001:db8::1"),
	}
}
