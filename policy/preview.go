package policy

import (
	"net/netip"
	"strings"
	"time"
)

// A Person is a member of an organization with what a policy means to them.
type Person struct {
	ID         string
	Email      string
	Name       string
	SuperAdmin bool
	Active     bool
	Managed    bool      // by this organization
	SSO        time.Time // last login through this organization's identity providers; zero: none
	InGroup    bool      // in the group of the trial that is previewed, or under way
	Logins     []Past    // the last one of each way
	Tokens     []Made    // personal tokens that count
}

// A Past is the last login of a person by one way.
type Past struct {
	Way       Way
	From      Relation // of SAML
	MethodID  string   // of SAML: am…
	Context   string   // of SAML: the AuthnContextClassRef that was asserted; may be empty
	TwoFactor bool
	At        time.Time
	IP        netip.Addr // zero if it was not known
}

// Made is a personal token.
type Made struct {
	Prefix      string
	Description string
	Way         Way
	From        Relation
	TwoFactor   bool
	Device      bool      // made with a login by a code that was typed in on another device
	MadeAt      time.Time // the login behind it was then
	ExpiresAt   time.Time
	IP          netip.Addr // last used from there; zero: never used
}

// A Report is what a change would do.
type Report struct {
	People      int // members of the organization
	ShutOut     int // that could come in before and could not afterwards
	Tokens      int // personal tokens of members
	Stopped     int // that counted before and would not afterwards
	Admins      int // active super admins
	AdminsLeft  int // that have succeeded with an admitted way, from an admitted address
	PeopleShown []ShutOut
	TokensShown []Stopped

	viewer string // whose own tokens are shown to them
}

// ShutOut is a person whom a change would refuse.
type ShutOut struct {
	Person Person
	Why    Refusal // of their last login
}

// Stopped is a token that a change would refuse.
type Stopped struct {
	Person Person
	Token  Made
	Why    Refusal
}

// MostShown is how many people, and how many tokens, a report names.
const MostShown = 100

// Add counts a person into a report on a change from one policy to another.
// A person who never logged in is not shut out: nothing is known of how they
// would.
func (r *Report) Add(p Person, before, after *Rules, now time.Time) {
	r.People++
	in, why := p.reach(after, now)
	if p.SuperAdmin && p.Active {
		r.Admins++
		if in {
			r.AdminsLeft++
		}
	}
	if was, _ := p.reach(before, now); was && !in && p.Active {
		r.ShutOut++
		if len(r.PeopleShown) < MostShown {
			r.PeopleShown = append(r.PeopleShown, ShutOut{Person: p, Why: ofOthers(why)})
		}
	}
	for _, t := range p.Tokens {
		if !now.Before(t.ExpiresAt) {
			continue
		}
		r.Tokens++
		no := p.stops(t, after, now)
		if no == nil || p.stops(t, before, now) != nil {
			continue
		}
		r.Stopped++
		if len(r.TokensShown) < MostShown {
			if !p.Managed && p.ID != r.viewer {
				// What somebody calls their tokens, and when they made them, is
				// no business of an organization that they only belong to.
				t = Made{Way: t.Way}
			}
			r.TokensShown = append(r.TokensShown, Stopped{Person: p, Token: t, Why: ofOthers(*no)})
		}
	}
}

// ofOthers says a refusal to somebody else than whom it is about: without where
// they came from, and through whose identity provider.
func ofOthers(no Refusal) Refusal {
	switch no.Rule {
	case "allowed_ip_ranges":
		no.Why = "Last seen at an address outside the ranges."
	case "saml_allow_external":
		no.Why = "Came through an identity provider of another organization."
	default:
		no.Why = strings.NewReplacer("You logged in", "Logged in", "Your last login", "The last login", ", and your tokens work again", "").Replace(no.Why)
	}
	return no
}

// reach says whether rules admit any of the logins that a person succeeded
// with, from where it came, and else why not the last one.
func (p Person) reach(r *Rules, now time.Time) (in bool, why Refusal) {
	var last time.Time
	for _, l := range p.Logins {
		// A recovery comes in whatever the rules are: it shows nothing of them.
		if l.Way == Recovery {
			continue
		}
		no := r.Check(p.login(l, now))
		if no == nil {
			return true, Refusal{}
		}
		if !l.At.Before(last) {
			last, why = l.At, *no
		}
	}
	return false, why
}

func (p Person) login(l Past, now time.Time) Entry {
	e := Entry{Kind: Console, Way: l.Way, From: l.From, TwoFactor: l.TwoFactor, Context: l.Context, Managed: p.Managed, MadeAt: now, SSO: p.SSO, IP: l.IP, Now: now}
	// Whoever logs in through the organization again is fresh by that.
	if l.Way == SAML && l.From == Own {
		e.SSO = now
	}
	return e
}

// stops says why rules refuse a token, from where it was used last. Nobody
// knows from where one will be used that never was.
func (p Person) stops(t Made, r *Rules, now time.Time) *Refusal {
	e := Entry{Kind: Personal, Way: t.Way, From: t.From, TwoFactor: t.TwoFactor, Device: t.Device, Managed: p.Managed, MadeAt: t.MadeAt, SSO: p.SSO, IP: t.IP, Now: now}
	if !t.IP.IsValid() {
		return r.checkAnywhere(e)
	}
	return r.Check(e)
}

// Preview is what a change from one set of rules to another would do to
// people; with groupOnly, to those of a pilot's group alone.
func Preview(people []Person, before, after *Rules, groupOnly bool, now time.Time) Report {
	var r Report
	r.addAll(people, before, after, groupOnly, now)
	return r
}

func (r *Report) addAll(people []Person, before, after *Rules, groupOnly bool, now time.Time) {
	for _, p := range people {
		to := after
		if groupOnly && !p.InGroup {
			to = before
		}
		r.Add(p, before, to, now)
	}
}
