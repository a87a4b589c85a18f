package web

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/domains"
	"gatehouse/gate"
)

// A lookView is what a look for the proof of a domain found, which is not the
// proof.
type lookView struct {
	Found  string // in one sentence
	Todo   string // what helps
	Where  string // what was looked for
	Want   string
	Values []string // that are published there
	Asked  []queryView
}

// A queryView is one question to one server.
type queryView struct {
	domains.Query
	Took string // may be empty
}

// mostValue is how much of a published value is shown, in characters.
const mostValue = 200

func viewLook(no *domains.Unproved) *lookView {
	v := &lookView{Where: no.Where, Want: no.Want}
	switch {
	case no.Look.Unsure && len(no.Look.Asked) == 0:
		v.Found = no.Why
	case no.Look.Unsure:
		v.Found = "Nobody could say what is published at " + no.Where + "."
		v.Todo = "Try again in a while. If it stays so, the servers of the domain, or the resolver of this server, need mending: the table says who answered what."
	case len(no.Look.Values) == 0:
		v.Found = "Nothing is published at " + no.Where + "."
		v.Todo = "If you have just published it, wait some minutes and try again. If it was there before, look whether your DNS provider added the domain's name to the record's name once more."
	default:
		v.Found = "What is published at " + no.Where + " is another value."
		v.Todo = "Compare the two below, character by character. The other value may stay beside the right one."
	}
	for _, value := range no.Look.Values {
		v.Values = append(v.Values, shown(value))
	}
	for _, q := range no.Look.Asked {
		one := queryView{Query: q}
		switch {
		case q.Took >= time.Millisecond:
			one.Took = "in " + q.Took.Round(time.Millisecond).String()
		case q.Took > 0:
			one.Took = "in less than 1ms"
		}
		v.Asked = append(v.Asked, one)
	}
	return v
}

// shown makes of what strangers published what can be shown.
func shown(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if utf8.RuneCountInString(value) <= mostValue {
		return value
	}
	return string([]rune(value)[:mostValue]) + "…"
}

// verifyDomain looks for the proof of a domain. Where it is not there, the
// domain's page says what was looked for, what was asked of whom and what came.
func (s *site) verifyDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	d, err := s.Domains.Verify(r.Context(), v.Actor, v.Organization, r.PathValue("domain"))
	if err == nil {
		return see(w, r, done(domainURL(d), "domain-verified"))
	}
	p, broken := s.newDomainShowPage(r, v)
	if broken != nil {
		return broken
	}
	if no := (*domains.Unproved)(nil); errors.As(err, &no) {
		p.Look = viewLook(no)
		p.Problems = append(p.Problems, problem{Field: "look-title", Label: "Not verified", Message: p.Look.Found})
		return s.render(w, r, http.StatusConflict, "domain", p)
	}
	return s.again(w, r, "domain", p, err)
}
