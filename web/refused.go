package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
)

// A refusedPage says why an organization does not let one of its people in, by
// which rule, and how they would come in. Of the organization it tells nothing
// but this.
type refusedPage struct {
	page
	What     string   // a sentence
	Rule     string   // the rule that refuses, in words; may be empty
	Hint     string   // what helps, where it is not another login; may be empty
	Admitted []string // ways to log in, in words
	Ways     []way    // identity providers that would let this person in
	Links    []way    // those that would, once their account is linked
	Password string   // where to log in with a password; empty: that would not help
	Address  string   // the person's own, where the rule is one of addresses
	Ranges   []string // that are admitted, there
	Code     string
	ID       string // of the request
}

// CodeParts is the code in parts between which a line may break.
func (p *refusedPage) CodeParts() []string { return strings.SplitAfter(p.Code, "_") }

// ruleWords say what the fields of a policy refuse by.
var ruleWords = map[string]string{
	"password_auth_enabled":          "Logins with a password are not admitted",
	"two_factor_required":            "A login with a password needs a second factor",
	"oauth_enabled":                  "Logins through Google, Microsoft and GitHub are not admitted",
	"oauth_providers":                "Only some of Google, Microsoft and GitHub are admitted",
	"passkey_enabled":                "Logins with a passkey are not admitted",
	"saml_enabled":                   "Logins through identity providers are not admitted",
	"saml_allow_external":            "Identity providers of other organizations are not admitted",
	"saml_second_factor_contexts":    "A login through the organization's identity provider needs a second factor there",
	"personal_tokens":                "Personal tokens are not admitted",
	"personal_token_max_age_seconds": "Old personal tokens are not admitted",
	"mcp_enabled":                    "MCP clients are not admitted",
	"device_login_enabled":           "Logins by a typed code are not admitted",
	"login_freshness_days":           "A login through the organization's identity provider is needed now and then",
	"allowed_ip_ranges":              "Only some addresses are admitted",
}

var ruleHints = map[string]string{
	"two_factor_required":         "Nobody can have a second factor here yet. Log in another way that is admitted, or ask a super admin to turn the rule off.",
	"saml_second_factor_contexts": "Log in through the identity provider again, with a second factor. If it never asks for one, an administrator has to set it up there.",
	"login_freshness_days":        "One login through its identity provider is enough: this session, and your tokens, count again after it.",
	"allowed_ip_ranges":           "Another login does not help. Come from one of these addresses, such as through your company's network, or ask a super admin to add yours.",
}

// refuse answers for an organization that does not let somebody in.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, no *policy.Refused, err error) error {
	var v gate.Visit
	back := ""
	if r.PathValue("organization") == no.Organization.ID {
		v, back = s.visitor(r), withoutMessage(r.URL)
		if r.Method != http.MethodGet || login.SafeReturn(back) == "/" {
			back = organizationURL(no.Organization)
		}
	}
	p, broken := s.newRefusedPage(r, v, no, back)
	if broken != nil {
		return errors.Join(broken, err)
	}
	p.ID = w.Header().Get("X-Request-Id")
	return s.render(w, r, fault.Of(err).Kind.Status(), "refused", p)
}

// withoutMessage is the address of a page without the message after a form.
func withoutMessage(u *url.URL) string {
	q := u.Query()
	q.Del("done")
	return withQuery(u.EscapedPath(), q)
}

// newRefusedPage asks the rules that refused which other ways they would admit.
// Nobody is in v where a login was refused before it made a session: then it is
// somebody whom the organization manages.
func (s *site) newRefusedPage(r *http.Request, v gate.Visit, no *policy.Refused, back string) (*refusedPage, error) {
	p := &refusedPage{
		page: narrow("Not admitted this way"),
		What: no.Why, Rule: ruleWords[no.Rule], Hint: ruleHints[no.Rule], Admitted: no.Admitted, Code: no.Code,
	}
	p.User, p.Organization = v.User, no.Organization
	now := s.Now()
	try := policy.Entry{Kind: policy.Console, Managed: true, MadeAt: now, IP: s.address(r), Now: now}
	if v.LoggedIn() {
		try.Managed, try.SSO = v.User.ManagingOrganizationID == no.Organization.ID, v.Bearer.SSO
	}
	if no.Rule == "allowed_ip_ranges" {
		p.Title = "Not admitted from here"
		p.Address, p.Admitted = addressWords(try.IP), nil
		for _, one := range no.Rules.Ranges {
			p.Ranges = append(p.Ranges, one.String())
		}
	}
	ways, err := s.waysAtHand(r.Context(), v)
	if err != nil {
		return nil, err
	}
	if try.Way = policy.Password; no.Rules.Check(try) == nil && (!v.LoggedIn() || ways[login.PasswordWay].Usable) {
		p.Password = againPath(back)
	}
	s.offerOthers(r.Context(), p, ways, no, try, back)
	return p, s.offerOwn(r.Context(), p, ways, no, try, back)
}

// waysAtHand gives the ways to log in of a visitor, by their ids; nil where
// nobody is known.
func (s *site) waysAtHand(ctx context.Context, v gate.Visit) (map[string]login.Way, error) {
	if !v.LoggedIn() {
		return nil, nil
	}
	all, err := s.Login.Ways(ctx, v.Bearer)
	if err != nil {
		return nil, err
	}
	ways := map[string]login.Way{}
	for _, one := range all {
		ways[one.ID] = one
	}
	return ways, nil
}

// againPath is where somebody logs in once more, and where that leads to.
func againPath(back string) string {
	to := url.Values{"again": {"yes"}}
	if safe := login.SafeReturn(back); safe != "/" {
		to.Set("return_to", safe)
	}
	return withQuery("/login", to)
}

// offerOwn adds the organization's identity providers, if they would be
// admitted: those that the person is linked to, else what links them.
func (s *site) offerOwn(ctx context.Context, p *refusedPage, ways map[string]login.Way, no *policy.Refused, try policy.Entry, back string) error {
	try.Way, try.From, try.SSO = policy.SAML, policy.Own, try.Now
	// What it would assert is not known before; it is asked for this.
	if demanded := no.Rules.SecondFactorContexts; len(demanded) > 0 {
		try.Context = demanded[0]
	}
	if no.Rules.Check(try) != nil {
		return nil
	}
	list, err := s.IdPs.List(ctx, no.Organization)
	if err != nil {
		return err
	}
	var own, links []way
	for _, i := range list {
		one, admits := s.wayOf(ctx, i.ID, back)
		if _, linked := ways[i.ID]; !admits {
			continue
		} else if linked || ways == nil {
			own = append(own, one)
		} else {
			one.URL = "/link/" + url.PathEscape(i.ID)
			links = append(links, one)
		}
	}
	p.Ways = append(own, p.Ways...)
	if len(own) == 0 {
		p.Links = links
	}
	return nil
}

// offerOthers adds the identity providers of other organizations that the
// person is linked to, if they would be admitted.
func (s *site) offerOthers(ctx context.Context, p *refusedPage, ways map[string]login.Way, no *policy.Refused, try policy.Entry, back string) {
	try.Way, try.From = policy.SAML, policy.Fellow
	for _, id := range slices.Sorted(maps.Keys(ways)) {
		mine := ways[id]
		if mine.Kind != session.SAML || mine.OrganizationID == no.Organization.ID || !mine.Usable || no.Rules.Check(try) != nil {
			continue
		}
		if one, admits := s.wayOf(ctx, id, back); admits && s.Login.MayLink(ctx, mine.ID, p.User) == nil {
			p.Ways = append(p.Ways, one)
		}
	}
}
