package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// confirmAddress takes the answer that the account is the reader's: from a
// browser that is logged in to it, or with its password.
func (s *site) confirmAddress(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	hideCode(w)
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	code := r.PathValue("code")
	c, err := s.Addresses.Look(r.Context(), code, s.address(r))
	if err != nil {
		return err
	}
	by, next := s.holder(r), "/"
	if by.User.ID != c.User.ID {
		next = "/login"
		by, err = s.byPassword(r, c, form.Get("password"))
	}
	if err != nil {
		p := s.newVerifyPage(r, c)
		p.Password.Focus = true
		return s.again(w, r, "verify", p, err, &p.Password)
	}
	if _, err := s.Addresses.Prove(r.Context(), code, by); err != nil {
		return err
	}
	return see(w, r, done(next, "address-confirmed"))
}

// byPassword is the user of an account, by its password; nobody, where it has
// none. It returns fault.Invalid at password, and what login.Password does.
func (s *site) byPassword(r *http.Request, c account.Claim, password string) (account.Actor, error) {
	by := s.from(r)
	if !c.HasPassword {
		return by, nil
	}
	if password == "" {
		return by, fault.Invalid.Errorf("Give the account's password, or log in to it in this browser and open the mailed link again.").At("password")
	}
	browser := s.Cookies.Browser(r)
	u, err := s.Login.Password(r.Context(), c.User.Email, password, &browser, s.client(r))
	if fault.Of(err) != nil && fault.Of(err).Code == "authentication_failed" {
		return by, fault.Invalid.Errorf("This is not the password of this account. If you never gave it one, you did not make it: say so below.").At("password")
	}
	by.User = u
	return by, err
}

// refuseAccount takes the answer that it is not.
func (s *site) refuseAccount(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	hideCode(w)
	if err := s.Addresses.Disown(r.Context(), r.PathValue("code"), s.from(r)); err != nil {
		return err
	}
	return see(w, r, done("/login", "account-closed"))
}

// mailAgain has another link mailed to the visitor.
func (s *site) mailAgain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if err := s.Addresses.AskAgain(r.Context(), v.Actor); err != nil {
		return err
	}
	return see(w, r, done("/", "verification-mailed"))
}
