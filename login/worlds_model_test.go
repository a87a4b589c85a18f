package login_test

import (
	"maps"
	"slices"
	"strings"
)

// The model says, by the rules of docs/decisions/0012-who-owns-an-address.md and
// nothing of the program, who may become whom. It knows what a stranger could
// not: which credentials are whose, and which must be worth nothing by now.

// A subject is somebody as one identity provider knows them.
type subject struct{ method, name string }

// A principal is an account as the model knows it.
type principal struct {
	id       string
	email    string
	proved   bool
	managed  string // the organization; empty: nobody
	operator bool
	gone     bool // deactivated
	password bool
	subjects map[subject]bool
	tokens   map[string]string // what sessions show, by the method of their login; of a password, nothing
	member   map[string]bool   // organizations; true: administers
}

func (a *principal) elsewhere(organization string) (any, admin bool) {
	for o, super := range a.member {
		if o != organization {
			any, admin = true, admin || super
		}
	}
	return any, admin
}

// end makes tokens worth nothing for good: those of one method, or all.
func (m *model) end(a *principal, of func(method string) bool) {
	for t, method := range a.tokens {
		if of(method) {
			m.dead = append(m.dead, t)
			delete(a.tokens, t)
		}
	}
}

func everyMethod(string) bool { return true }

// strip is what is left of an account that somebody else made.
func (m *model) strip(a *principal, organization string) {
	a.password = false
	clear(a.subjects)
	m.end(a, everyMethod)
	maps.DeleteFunc(a.member, func(o string, _ bool) bool { return o != organization })
}

// succeed ends what another subject of a method had of an account.
func (m *model) succeed(a *principal, method string) {
	for s := range a.subjects {
		if s.method == method {
			a.password = false
			clear(a.subjects)
			m.end(a, everyMethod)
			return
		}
	}
}

func (a *principal) join(organization string) {
	if _, is := a.member[organization]; !is {
		a.member[organization] = false
	}
}

// A model is one world.
type model struct {
	accounts []*principal
	owner    map[string]string // of each method: its organization
	enabled  map[string]bool
	claims   map[[2]string]string // organization and domain: unverified, verified or lost
	linked   map[[2]string]bool   // domain and method
	dead     []string             // tokens that were worth something once
}

func (m *model) byEmail(email string) *principal {
	i := slices.IndexFunc(m.accounts, func(a *principal) bool { return a.email == email })
	if i < 0 {
		return nil
	}
	return m.accounts[i]
}

func (m *model) bySubject(s subject) *principal {
	i := slices.IndexFunc(m.accounts, func(a *principal) bool { return a.subjects[s] })
	if i < 0 {
		return nil
	}
	return m.accounts[i]
}

// holder is the organization that verified a domain.
func (m *model) holder(domain string) string {
	for c, state := range m.claims {
		if c[1] == domain && state == "verified" {
			return c[0]
		}
	}
	return ""
}

// speaks says whether a method's organization speaks through it for an address.
func (m *model) speaks(method, email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	return m.holder(domain) == m.owner[method] && m.linked[[2]string{domain, method}]
}

// An outcome is what the rules make of a login.
type outcome struct {
	refused bool
	asked   bool
	made    bool // a new account
	who     *principal
	why     string // by which rule, for counting
}

// assert is a login through an identity provider: name asserted with email;
// yes is what the person says where they are asked.
func (m *model) assert(method, name, email string, signup, yes bool) outcome {
	s, o := subject{method, name}, m.owner[method]
	if !m.enabled[method] {
		return outcome{refused: true, why: "disabled"}
	}
	speaks := m.speaks(method, email)
	if a := m.bySubject(s); a != nil {
		if a.gone {
			return outcome{refused: true, why: "gone"}
		}
		return outcome{who: a, why: m.known(a, s, email, speaks)}
	}
	a := m.byEmail(email)
	switch {
	case !speaks && (!signup || a != nil):
		return outcome{refused: true, why: "not its own"}
	case a == nil:
		a = &principal{email: email, proved: speaks, subjects: map[subject]bool{s: true}, tokens: map[string]string{}, member: map[string]bool{o: false}}
		if speaks {
			a.managed = o
		}
		m.accounts = append(m.accounts, a)
		return outcome{made: true, who: a, why: map[bool]string{true: "provisioned", false: "signed up"}[speaks]}
	}
	any, admin := a.elsewhere(o)
	switch {
	case a.managed != "" && a.managed != o:
		return outcome{refused: true, why: "managed elsewhere"}
	case a.gone, a.operator, a.proved && admin:
		return outcome{refused: true, why: "own login"}
	case !a.proved && any && !yes:
		return outcome{asked: true, why: "asked"}
	}
	why := "taken"
	if !a.proved {
		why = map[bool]string{true: "claimed, said yes", false: "claimed"}[any]
		m.strip(a, o)
	} else {
		m.succeed(a, method)
	}
	a.subjects[s] = true
	a.join(o)
	a.managed, a.proved = o, true
	return outcome{who: a, why: why}
}

// known is what becomes of somebody who was linked before, and by which rule.
func (m *model) known(a *principal, s subject, email string, speaks bool) (why string) {
	why = "known"
	o := m.owner[s.method]
	if speaks && a.managed == "" && !a.operator && a.email == email {
		any, admin := a.elsewhere(o)
		switch {
		case a.proved && !admin:
			a.join(o)
			a.managed, why = o, "managed from now on"
		case !a.proved && !any:
			why = "managed, and stripped if need be"
			if a.password || len(a.subjects) > 1 {
				m.strip(a, o)
				a.subjects[s] = true
			}
			a.join(o)
			a.managed, a.proved = o, true
		}
	}
	if a.managed == o && speaks && m.byEmail(email) == nil {
		a.email, why = email, "followed"
	}
	return why
}

// adopt is what verifying a domain, or proving an address in it, does.
func (m *model) adopt(organization, domain string) {
	for _, a := range m.accounts {
		_, member := a.member[organization]
		_, admin := a.elsewhere(organization)
		if member && a.proved && a.managed == "" && !a.operator && !admin && strings.HasSuffix(a.email, "@"+domain) {
			a.managed = organization
		}
	}
}
