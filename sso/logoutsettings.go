package sso

import (
	"slices"
	"strings"

	"gatehouse/internal/fault"
)

const soapBinding = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"

// A LogoutSite is where an IdP is told of logouts, by its metadata.
type LogoutSite struct {
	Binding     Binding
	URL         string
	ResponseURL string // empty: the same
}

// logout gives the SingleLogoutServices that we can use, Redirect before Post
// before SOAP. What cannot be used is passed over: logins do without.
func (r idpXML) logout() []LogoutSite {
	known := []string{redirectBinding, postBinding, soapBinding}
	names := []Binding{Redirect, Post, SOAP}
	var out []LogoutSite
	for n, binding := range known {
		for _, site := range r.Logout {
			s := LogoutSite{names[n], strings.TrimSpace(site.Location), strings.TrimSpace(site.Response)}
			if site.Binding != binding || !usableSite(s.URL) {
				continue
			}
			if s.ResponseURL == s.URL || !usableSite(s.ResponseURL) {
				s.ResponseURL = ""
			}
			out = append(out, s)
			break
		}
	}
	return out
}

func usableSite(address string) bool {
	if address == "" {
		return false
	}
	_, err := parseSSOURL(address)
	return err == nil
}

// withLogout takes from metadata where the IdP is told of logouts, unless the
// change says it itself; of the binding that it asks for, if it asks for one.
func (c Change) withLogout(m IdPMetadata) Change {
	if c.SLOURL != nil {
		return c
	}
	for _, site := range m.Logout {
		if c.SLOBinding != nil && *c.SLOBinding != "" && *c.SLOBinding != string(site.Binding) {
			continue
		}
		binding := string(site.Binding)
		c.SLOURL, c.SLOResponseURL, c.SLOBinding = &site.URL, &site.ResponseURL, &binding
		break
	}
	return c
}

// applyLogout sets where, and how, the IdP is told of logouts.
func (c Change) applyLogout(i *IdP) error {
	for _, f := range []struct {
		field    string
		from, to *string
	}{
		{"saml_idp_slo_url", c.SLOURL, &i.IdPSLOURL},
		{"saml_idp_slo_response_url", c.SLOResponseURL, &i.IdPSLOResponseURL},
	} {
		if f.from == nil {
			continue
		}
		*f.to = strings.TrimSpace(*f.from)
		if *f.to == "" {
			continue
		}
		if _, err := parseSSOURL(*f.to); err != nil {
			return fault.Of(err).At(f.field)
		}
	}
	if c.SLOBinding == nil {
		return nil
	}
	b := Binding(*c.SLOBinding)
	if b == "" {
		b = Redirect
	}
	if !slices.Contains([]Binding{Redirect, Post, SOAP}, b) {
		return fault.Invalid.Errorf("Say redirect, post or soap, or leave it out.").At("saml_slo_binding")
	}
	i.SLOBinding = b
	return nil
}

// checkLogoutTargets refuses addresses for logouts that lead back to us, as
// checkTarget does.
func (c Change) checkLogoutTargets(i *IdP, base string) error {
	for _, f := range []struct {
		field   string
		changed *string
		address string
	}{
		{"saml_idp_slo_url", c.SLOURL, i.IdPSLOURL},
		{"saml_idp_slo_response_url", c.SLOResponseURL, i.IdPSLOResponseURL},
	} {
		if f.changed == nil || f.address == "" {
			continue
		}
		target, err := parseSSOURL(f.address)
		if err == nil {
			err = checkTarget(target, base, i.Base)
		}
		if err != nil {
			return fault.Of(err).At(f.field)
		}
	}
	return nil
}
