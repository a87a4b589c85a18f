package sso

import (
	"context"
	"strings"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// asFetched says of metadata that was fetched what is said of pasted one: at
// its address, and without the advice to paste, which stands at the end.
func asFetched(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return err
	}
	for _, advice := range []string{" Paste ", " Open it and paste ", " Fetch it anew "} {
		f.Message, _, _ = strings.Cut(f.Message, advice)
	}
	if f.Field != "saml_entity_id" {
		f.Field = "saml_idp_metadata_url"
	}
	if f.Code == "" {
		f.Code = "metadata_not_usable"
	}
	return f
}

// fetched reads the metadata at the address that a change gives an identity
// provider, if it gives it another address, or another certificate to hold it
// against. Whoever names the address sees what it says, so that this is set at
// once. It touches no transaction.
func (s *IdPs) fetched(ctx context.Context, org account.Organization, i *IdP, c Change) (Change, *Refresh, error) {
	after := *i
	if err := c.applyRefreshes(&after); err != nil {
		return c, nil, err
	}
	same := after.IdPMetadataURL == i.IdPMetadataURL && after.MetadataCertificatePEM == i.MetadataCertificatePEM
	switch {
	case after.IdPMetadataURL == "" || same:
		return c, nil, nil
	case s.Refreshes == nil:
		return c, nil, fault.Invalid.Errorf("This server fetches no metadata. Paste it instead.").At("saml_idp_metadata_url")
	case c.Metadata != nil && strings.TrimSpace(*c.Metadata) != "":
		return c, nil, fault.Invalid.Errorf("Give the metadata, or the address where it stands: not both.").At("saml_idp_metadata")
	}
	if err := s.Refreshes.Limits.Take(ctx, fetches, org.ID); err != nil {
		return c, nil, err
	}
	typed := ""
	if c.EntityID != nil {
		typed = strings.TrimSpace(*c.EntityID)
	}
	chosen := typed
	if chosen == "" {
		chosen = i.EntityID
	}
	m, err := s.Refreshes.fetch(ctx, &after, chosen)
	if err != nil {
		return c, nil, err
	}
	if typed == "" && i.EntityID != "" && m.EntityID != i.EntityID {
		return c, nil, entityChanged(i, m)
	}
	c, err = c.saying(m)
	now := s.Now()
	r := Refresh{URL: after.IdPMetadataURL, DueAt: now.Add(refreshEvery + spread(after.IdPMetadataURL)), CheckedAt: now, SucceededAt: now}
	return c, &r, err
}

// keepFetched notes what was fetched of an identity provider, in the
// transaction that sets it.
func (s *IdPs) keepFetched(ctx context.Context, i *IdP, r *Refresh) error {
	if r == nil {
		return nil
	}
	r.MethodID = i.ID
	return s.Refreshes.Store.SaveRefresh(ctx, *r)
}
