package web

import (
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
	Code    string
	Message string // of a refusal
	Remedy  string
	Vendor  string // whose words the remedies have; empty if it is not known
	Email   string // that was typed
	Address string
	Browser string

	Since    bool // the settings were changed since it was accepted, and the checks are by those of now
	Report   bool // there is an identity provider's answer
	Signed   bool
	Checks   []checkView
	Warnings []string
	Facts    []changeView // what the answer says of the person
	Shown    bool         // not masked
	Whole    bool         // the response is kept
}

// A checkView is how an answer stood to one check.
type checkView struct {
	Name     string
	Result   status
	Expected string
	Got      string
	Message  string
	Remedy   string
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
		Code: told.Code, Message: st.Message, Email: st.Email, Shown: shown, Whole: told.HasWhole, Since: told.Since,
	}
	if told.Code != "" {
		view.Remedy = sso.Remedy(told.Code, vendor)
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
	if st.Report != nil {
		view.report(st.Report, vendor)
	}
	return view, nil
}

// report adds an identity provider's answer to a view.
func (view *traceView) report(r *sso.Report, vendor sso.Vendor) {
	view.Report, view.Signed, view.Warnings = true, r.Signed, r.Warnings
	for _, j := range r.Judgements {
		c := checkView{Name: checkNames[j.Rule], Result: checkResult(j.Result), Expected: j.Expected, Got: j.Got, Message: j.Message}
		if c.Name == "" {
			c.Name = j.Rule
		}
		if j.Result == sso.Fail {
			c.Remedy = sso.Remedy(j.Code, vendor)
		}
		view.Checks = append(view.Checks, c)
	}
	fact := func(name, value string) {
		if value != "" {
			view.Facts = append(view.Facts, changeView{Name: name, After: value})
		}
	}
	fact("Issuer", r.Issuer)
	fact("NameID", r.NameID.Value)
	fact("Format of the NameID", r.NameID.Format)
	fact("Email address", r.Email)
	fact("Name", r.RealName)
	for n, g := range r.Groups {
		fact("Group "+strconv.Itoa(n+1), g)
		if n == 19 {
			fact("More groups", strconv.Itoa(len(r.Groups)-20))
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		values := r.Attributes[name]
		if len(values) > 20 {
			values = append(slices.Clone(values[:20]), "and "+strconv.Itoa(len(r.Attributes[name])-20)+" more")
		}
		for _, value := range values {
			fact("Attribute "+name, value)
		}
	}
}
