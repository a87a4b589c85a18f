package web

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/sso"
)

// adminAdvice is what an administrator of an identity provider's organization
// can do for somebody whose login through it was refused; may be empty.
func (s *site) adminAdvice(ctx context.Context, f login.Flow, i *sso.IdP, code string) string {
	switch code {
	case "managed_elsewhere":
		return "The account belongs to the other organization until an administrator there releases the person. The next login through this identity provider takes it in then."
	case "own_login_required":
		return "Nothing has to be changed. The account has rights that your organization did not give, so it is not linked by its address alone: its person links it, once."
	case "unknown_user_sso_login_attempt":
		return s.whyUnknown(ctx, f, i)
	}
	return ""
}

// whyUnknown says what keeps an identity provider from letting in whoever it
// names: whether, and how far, its organization has the domain of the address.
func (s *site) whyUnknown(ctx context.Context, f login.Flow, i *sso.IdP) string {
	email, err := account.NormalizeEmail(f.Claim.Email)
	if err != nil {
		return "The identity provider gave no usable email address, so no domain speaks for this person. Have it sent as an attribute, or send the person the signup link."
	}
	_, name, _ := strings.Cut(email, "@")
	d, err := s.Domains.Store.Domain(ctx, i.OrganizationID, name)
	switch {
	case errors.Is(err, fault.NotFound):
		return fmt.Sprintf("Send the person the signup link. Or add the domain %s to your organization, prove it, and link it to this identity provider: then whoever has an address there needs no link.", name)
	case err != nil:
		return ""
	case d.State == domains.Lost:
		return fmt.Sprintf("The claim to %s has ended, since its record was missing for a week. Publish the record, verify the domain again, and link it to this identity provider.", name)
	case d.State != domains.Verified:
		return fmt.Sprintf("Your organization has added the domain %s, and not proved it yet. Verify it on its page.", name)
	case !slices.Contains(d.Methods, i.ID):
		return fmt.Sprintf("Your organization has verified %s, and not linked it to this identity provider. Link it on the page of the domain.", name)
	}
	return ""
}
