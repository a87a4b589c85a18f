package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A verifyPage asks the reader of a mailbox whose an account is.
type verifyPage struct {
	page
	Code          string
	Account       account.User
	Organizations []account.Membership // the first of them
	MoreOrgs      string               // how many there are besides; may be empty
	Providers     []account.LinkedProvider
	MoreProviders string
	HasPassword   bool
	Made          moment
	Until         moment
	Holder        bool // this browser is logged in to the account
	Password      field
}

// mostNamed is how many organizations, or identity providers, of an account the
// page names.
const mostNamed = 20

// showVerify is where the link leads that was mailed to an address. Looking
// uses nothing up: programs that read mail open links, too.
func (s *site) showVerify(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	hideCode(w)
	c, err := s.Addresses.Look(r.Context(), r.PathValue("code"), s.address(r))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "verify", s.newVerifyPage(r, c))
}

func (s *site) newVerifyPage(r *http.Request, c account.Claim) *verifyPage {
	p := &verifyPage{
		page:        narrow("Is this account yours?"),
		Code:        r.PathValue("code"),
		Account:     c.User,
		HasPassword: c.HasPassword,
		Made:        s.moment(c.User.CreatedAt),
		Until:       s.moment(c.ExpiresAt),
		Holder:      s.holder(r).User.ID == c.User.ID,
		Password:    field{Name: "password", Label: "Password of this account", Hint: "Or log in to it in this browser, and open the mailed link again.", Type: "password", Autocomplete: "current-password"},
	}
	p.User = s.visitor(r).User
	p.Organizations, p.MoreOrgs = firstOf(c.Organizations)
	p.Providers, p.MoreProviders = firstOf(c.Providers)
	return p
}

// firstOf gives as much of a list as the page shows, and says how many are left
// out.
func firstOf[T any](all []T) (some []T, more string) {
	if len(all) <= mostNamed {
		return all, ""
	}
	return all[:mostNamed], count(len(all)-mostNamed, "other")
}

// hideCode keeps the code, which stands in the address, from every page that
// this one leads to.
func hideCode(w http.ResponseWriter) { w.Header().Set("Referrer-Policy", "strict-origin") }

// holder is who is logged in, in a way that may change what is their own; else
// nobody, of whom only the place is known.
func (s *site) holder(r *http.Request) account.Actor {
	v, err := s.Gate.Admit(r.Context(), gate.Request{Token: s.Cookies.Token(r), IP: s.address(r), Agent: r.UserAgent(), Need: account.WriteSelf})
	if err != nil {
		return s.from(r)
	}
	return v.Actor
}

// from is somebody of whom only the place is known.
func (s *site) from(r *http.Request) account.Actor {
	return account.Actor{IP: s.address(r), UserAgent: r.UserAgent()}
}
