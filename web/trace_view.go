package web

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"gatehouse/account"
	"gatehouse/login"
	"gatehouse/sso"
)

// A traceView is an attempt as its page shows it, check by check.
type traceView struct {
	At      moment
	Words   string
	ID      string
	Outcome status
	Test    bool
	Vendor  string // whose words the remedies have; empty if it is not known
	Email   string // that was typed
	Address string
	Browser string

	Since    bool // the settings were changed since it was accepted, and the checks are by those of now
	Report   bool // there is an identity provider's answer
	Signed   bool
	Wrong    []wrongView
	Checks   []checkView
	Passed   int // of them
	Warnings []string
	Facts    []factView // what the answer says of the person
	Shown    bool       // not masked
	Whole    bool       // the response is kept
}

// A wrongView is something that is wrong with an answer, and what is done about
// it: the checks that failed with one code.
type wrongView struct {
	Message  string
	Remedy   string
	Expected string
	Got      string
	Checks   string // by name; empty where it was none of the checks
	Code     string
}

// A factView is something that an answer says, with each of its values.
type factView struct {
	Name   string
	Values []string
	Hidden bool
}

// A checkView is how an answer stood to one check.
type checkView struct {
	Name     string
	Result   status
	Expected string
	Got      string
	Message  string // of one that could not be judged: why
}

// checkNames are the checks in words.
var checkNames = map[string]string{
	"document": "It is a SAML response", "encryption": "It can be decrypted", "signature": "It is signed",
	"response": "SAML version", "status": "Status", "destination": "Destination", "response_issuer": "Issuer of the response",
	"response_time": "When the response was made", "assertion": "There is an assertion", "assertion_time": "When the assertion was made",
	"issuer": "Issuer", "validity": "Valid now", "audience": "Audience", "name_id": "NameID", "confirmation": "Confirmation",
	"recipient": "Recipient", "confirmation_validity": "Confirmation valid now", "in_response_to": "One request in both places",
	"request": "Which login it answers", "authentication": "When the person logged in there", "fresh_login": "A new login",
	"login_context": "How the person logged in there", "attributes": "Attributes", "relay_state": "Relay state",
	"used_once": "Used once", "account": "The account here",
}

func checkResult(r sso.Result) status {
	switch r {
	case sso.Pass:
		return status{"Passed", "ok"}
	case sso.Fail:
		return status{"Failed", "bad"}
	}
	return status{"Not judged", "off"}
}

// viewTrace is a trace whose person is masked unless shown.
func (s *site) viewTrace(ctx context.Context, org account.Organization, told login.Told, shown bool) (traceView, error) {
	vendor, err := s.Traces.Vendor(ctx, org, told)
	if err != nil {
		return traceView{}, err
	}
	if !shown {
		told = told.Masked()
	}
	st := told.Story
	view := traceView{
		At: s.moment(told.At), Words: told.Words, ID: told.ID, Outcome: outcomeStatus(told.Outcome), Test: st.Test,
		Email: st.Email, Shown: shown, Whole: told.HasWhole, Since: told.Since,
	}
	if vendor != sso.Generic {
		view.Vendor = vendor.Name()
	}
	if st.IP.IsValid() {
		view.Address = st.IP.String()
	}
	if st.UserAgent != "" {
		view.Browser = browserName(st.UserAgent)
	}
	if told.Code != "" {
		view.Wrong = []wrongView{{Message: st.Message, Remedy: sso.Remedy(told.Code, vendor), Code: told.Code}}
	}
	if st.Report != nil {
		view.report(st.Report, vendor)
	}
	return view, nil
}

// report adds an identity provider's answer to a view.
func (view *traceView) report(r *sso.Report, vendor sso.Vendor) {
	view.Report, view.Signed, view.Warnings = true, r.Signed, r.Warnings
	for _, j := range r.Judgements {
		c := checkView{Name: cmp.Or(checkNames[j.Rule], j.Rule), Result: checkResult(j.Result), Expected: j.Expected, Got: j.Got}
		switch j.Result {
		case sso.Pass:
			view.Passed++
		case sso.Fail:
			view.fails(j, c.Name, r.Code, vendor)
		default:
			c.Message = j.Message
		}
		view.Checks = append(view.Checks, c)
	}
	view.claims(r)
}

// fails adds a check that failed. What several failed by is one thing; the one
// that the answer was refused by stands first, and what refused it is refusedBy
// in the report where the trace has another name for it.
func (view *traceView) fails(j sso.Judgement, check, refusedBy string, vendor sso.Vendor) {
	for i := range view.Wrong {
		w := &view.Wrong[i]
		if w.Code != j.Code && (i > 0 || j.Code != refusedBy) {
			continue
		}
		if w.Checks == "" {
			w.Expected, w.Got, w.Checks = j.Expected, j.Got, check
			return
		}
		w.Checks += ", " + check
		return
	}
	view.Wrong = append(view.Wrong, wrongView{
		Message: j.Message, Remedy: sso.Remedy(j.Code, vendor), Expected: j.Expected, Got: j.Got, Checks: check, Code: j.Code,
	})
}

// mostValues is how many values of one attribute a page shows.
const mostValues = 20

// claims adds what an answer says of the person.
func (view *traceView) claims(r *sso.Report) {
	personal := !view.Shown
	fact := func(name string, hidden bool, values ...string) {
		f := factView{Name: name, Hidden: hidden, Values: values}
		if len(values) > mostValues {
			f.Values = append(slices.Clone(values[:mostValues]), "and "+strconv.Itoa(len(values)-mostValues)+" more")
		}
		if hidden {
			f.Values = []string{"Hidden"}
			if len(values) > 1 {
				f.Values[0] = "Hidden, " + count(len(values), "value")
			}
		}
		if len(values) > 0 && values[0] != "" {
			view.Facts = append(view.Facts, f)
		}
	}
	fact("Issuer", false, r.Issuer)
	fact("NameID", personal, r.NameID.Value)
	fact("Format of the NameID", false, r.NameID.Format)
	fact("Email address", personal, r.Email)
	fact("Name", personal, r.RealName)
	fact("Groups", personal, r.Groups...)
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		fact("Attribute "+name, personal, r.Attributes[name]...)
	}
}
