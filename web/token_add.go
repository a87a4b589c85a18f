package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

// A newTokenPage asks what a personal token is to be.
type newTokenPage struct {
	page
	Description field
	Life        field
	Seconds     field // where Life is of one's own choice
	Extend      check
	Ranges      field
	Areas       []areaChecks
	Ask         bool // the login is not fresh enough: a password is asked for
	Password    field
	Again       string // where to log in again instead
	Barred      string // why the visitor may make none; empty: they may
}

// areaChecks are the boxes of one area of scopes.
type areaChecks struct {
	Label       string
	Read, Write check
}

// A tokenMadePage shows a token, the one time that this is possible.
type tokenMadePage struct {
	page
	Token tokenView
	Copy  copyable
}

// freshLogin is how old a login may be that makes tokens without a password.
// It is session's bound, and decides here whether to ask for one at once.
const freshLogin = 10 * time.Minute

// ownLife stands for a life in seconds that is typed.
const ownLife = "seconds"

// tokenAreas are the areas of scopes that there is something of to narrow a
// token to, with what that is.
var tokenAreas = []option{
	{"user", "Your profile"},
	{"authentication", "Tokens, ways to log in, identity providers and policies"},
	{"accounts", "Organizations, groups and audit logs"},
	{"projects", "Projects"},
}

func descriptionField(value string) field {
	return field{Name: "description", Label: "Description", Value: value, Most: 1000, Optional: true, Hint: "What it is for, so that you know later what ends with it."}
}

func (s *site) newNewTokenPage(r *http.Request, v gate.Visit, form url.Values) (*newTokenPage, error) {
	frame, err := s.console(r, v, "New personal token", "tokens")
	if err != nil {
		return nil, err
	}
	p := &newTokenPage{
		page:        frame,
		Description: descriptionField(form.Get("description")),
		Seconds:     field{Name: "max_age_seconds", Label: "Seconds", Value: form.Get("max_age_seconds"), Most: 9, Optional: true, Machine: true, Hint: "Only for an age of your own: 600 to 315,360,000."},
		Extend:      check{Name: "extend_when_used", Label: "Each use extends it", Hint: "It then ends when it was not used for that long.", Checked: form.Has("extend_when_used")},
		Ranges:      field{Name: "ip_allowlist", Label: "Address ranges", Value: form.Get("ip_allowlist"), Rows: 3, Optional: true, Machine: true, Hint: "From where alone it counts, one a line, such as 203.0.113.0/24. You come from " + addressWords(s.address(r)) + "."},
		Ask:         s.Now().Sub(v.Bearer.LoggedIn) > freshLogin,
		Password:    presentPassword(),
		Again:       againPath(r.URL.Path),
	}
	if r.Method != http.MethodGet {
		p.Again = againPath(tokensPath + "/new")
	}
	for _, area := range tokenAreas {
		box := func(suffix, label string) check {
			scope := area.Value + suffix
			return check{Name: "scope." + scope, Label: label, Checked: form.Has("scope." + scope)}
		}
		p.Areas = append(p.Areas, areaChecks{area.Label, box(":read", "Read"), box(":write", "Change")})
	}
	return p, s.offerLives(r.Context(), p, v, form.Get("life"))
}

func presentPassword() field {
	return field{Name: "password", Label: "Your present password", Type: "password", Autocomplete: "current-password"}
}

// offerLives offers how long a token may last, as far as the organization that
// manages the visitor lets it.
func (s *site) offerLives(ctx context.Context, p *newTokenPage, v gate.Visit, chosen string) error {
	most, err := s.Gate.MayMakeTokens(ctx, v.User.ID)
	if f := fault.Of(err); err != nil && f.Kind == fault.Denied {
		p.Barred = f.Message
		return nil
	}
	if err != nil {
		return err
	}
	const day = 24 * time.Hour
	p.Life = field{Name: "life", Label: "It ends after", Value: chosen}
	for _, d := range []time.Duration{time.Hour, day, 7 * day, 30 * day, 90 * day, 365 * day} {
		if most == 0 || d <= most {
			p.Life.Options = append(p.Life.Options, option{seconds(d), lifetimeWords(d)})
		}
	}
	p.Life.Options = append(p.Life.Options, option{ownLife, "A time of my own, in seconds"})
	if most > 0 {
		p.Life.Hint = "The organization that manages you allows " + lifetimeWords(most) + " at most."
	}
	if chosen != "" {
		return nil
	}
	p.Life.Value = p.Life.Options[0].Value
	if usual := seconds(30 * day); slices.ContainsFunc(p.Life.Options, func(o option) bool { return o.Value == usual }) {
		p.Life.Value = usual
	}
	return nil
}

func (s *site) showNewToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newNewTokenPage(r, v, url.Values{})
	if err != nil {
		return err
	}
	p.Description.Focus = true
	return s.render(w, r, http.StatusOK, "token-new", p)
}

// makeToken makes a token and shows it in the answer itself: after a redirect
// its text would have to be kept somewhere, or stand in an address.
func (s *site) makeToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	text, t, err := s.tokenOf(r, v, form)
	if err != nil {
		return s.newTokenAgain(w, r, v, form, err)
	}
	frame, err := s.console(r, v, "Your new token", "tokens")
	if err != nil {
		// The token is made, and its text would be lost with the page.
		s.lost(w, r, "frame of the page of a new token not made", err)
		frame = page{Title: "Your new token", User: v.User, Section: "tokens"}
	}
	p := &tokenMadePage{page: frame, Token: s.viewToken(r.Context(), v, t), Copy: copyable{ID: "copy-token", Label: "Token", Value: text}}
	p.csp.script = true
	return s.render(w, r, http.StatusOK, "token-made", p)
}

// tokenOf makes the token that a form asks for.
func (s *site) tokenOf(r *http.Request, v gate.Visit, form url.Values) (string, session.Token, error) {
	want, err := newTokenOf(form)
	if err != nil {
		return "", session.Token{}, err
	}
	by := v.Holder()
	if by.Proved, err = s.proved(r, v, form.Get("password")); err != nil {
		return "", session.Token{}, err
	}
	return s.Tokens.Create(r.Context(), by, want)
}

// proved checks a password that somebody who is logged in typed to show that it
// is them; an empty one proves nothing. It returns fault.Invalid at password.
func (s *site) proved(r *http.Request, v gate.Visit, password string) (bool, error) {
	if password == "" {
		return false, nil
	}
	browser := s.Cookies.Browser(r)
	_, err := s.Login.Password(r.Context(), v.User.Email, password, &browser, s.client(r))
	if err != nil && fault.Of(err).Code == "authentication_failed" {
		return false, fault.Denied.Errorf("The password is not right.").At("password").Coded("authentication_failed")
	}
	return err == nil, err
}

func newTokenOf(form url.Values) (session.New, error) {
	n := session.New{
		Description:    form.Get("description"),
		ExtendWhenUsed: form.Has("extend_when_used"),
		Ranges:         lines(form.Get("ip_allowlist")),
		Scopes:         scopesOf(form),
	}
	at, typed := "life", form.Get("life")
	if typed == ownLife {
		at, typed = "max_age_seconds", strings.ReplaceAll(strings.TrimSpace(form.Get("max_age_seconds")), ",", "")
	}
	age, err := strconv.ParseInt(typed, 10, 64)
	if err != nil || age <= 0 || age > int64(1<<33) {
		return session.New{}, fault.Invalid.Errorf("Say how long the token is to last: 600 to 315,360,000 seconds.").At(at)
	}
	n.MaxAge = time.Duration(age) * time.Second
	return n, nil
}

// scopesOf reads the boxes of scopes; both of an area are the area.
func scopesOf(form url.Values) []string {
	var out []string
	for _, area := range tokenAreas {
		reads, writes := form.Has("scope."+area.Value+":read"), form.Has("scope."+area.Value+":write")
		switch {
		case reads && writes:
			out = append(out, area.Value)
		case reads:
			out = append(out, area.Value+":read")
		case writes:
			out = append(out, area.Value+":write")
		}
	}
	return out
}

// lines are the lines of a text that are not empty.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (s *site) newTokenAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, form url.Values, err error) error {
	p, broken := s.newNewTokenPage(r, v, form)
	if broken != nil {
		return broken
	}
	f := fault.Of(err)
	if f.Field == "password" {
		p.Ask = true
	}
	if f.Field == "max_age_seconds" && form.Get("life") != ownLife {
		err = f.At("life")
	}
	return s.again(w, r, "token-new", p, err, &p.Description, &p.Life, &p.Seconds, &p.Extend, &p.Ranges, &p.Password)
}
