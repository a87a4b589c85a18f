package web

import (
	"errors"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
)

// The page where codes are typed, and what comes after it.
const (
	devicePath     = "/device"
	deviceDonePath = devicePath + "/done"
)

// A devicePage takes the code that a program shows.
type devicePage struct {
	page
	Code field
}

// A deviceConfirmPage asks whether the program that shows a code is to be
// logged in.
type deviceConfirmPage struct {
	page
	Code     string
	Program  string
	Theirs   string // the program's address, as we saw it
	Ours     string // the browser's
	Same     bool   // they are one
	Waiting  moment // since when
	Ends     moment // when the browser's session does
	Extends  bool   // unless it is used
	ToAnswer string
}

// A deviceDonePage says what was done.
type deviceDonePage struct{ page }

func newDevicePage(v gate.Visit) *devicePage {
	p := &devicePage{page: narrow("Log in a program"), Code: field{
		Name: "user_code", Label: "Code", Most: 20, Machine: true, Focus: true,
		Hint: "Eight letters, such as WDJB-MJHT, which the program shows.",
	}}
	p.User = v.User
	return p
}

// showDevice takes nothing from its address: a link with a code in it is what
// somebody would send who wants another to approve a program of theirs.
func (s *site) showDevice(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.render(w, r, http.StatusOK, "device", newDevicePage(v))
}

// findDevice shows the program that waits with a code, and asks.
func (s *site) findDevice(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	code := form.Get("user_code")
	d, err := s.Login.Device(r.Context(), code, v.Bearer, s.client(r))
	if err != nil {
		return s.deviceAgain(w, r, v, code, err)
	}
	p := &deviceConfirmPage{
		page: narrow("Log in this program?"), Code: code, Program: d.Program,
		Theirs: addressWords(d.ProgramIP), Ours: addressWords(s.address(r)), Same: d.ProgramIP.IsValid() && d.ProgramIP == s.address(r),
		Waiting: s.moment(d.CreatedAt), Ends: s.moment(v.Bearer.ExpiresAt), Extends: v.Bearer.ExtendWhenUsed,
		ToAnswer: devicePath + "/answer",
	}
	p.User = v.User
	return s.render(w, r, http.StatusOK, "device-confirm", p)
}

// deviceAgain asks for the code once more; what a policy refuses has a page of
// its own.
func (s *site) deviceAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, code string, err error) error {
	if no := (*policy.Refused)(nil); errors.As(err, &no) || errors.Is(err, fault.Denied) {
		return err
	}
	p := newDevicePage(v)
	if len(code) <= p.Code.Most {
		p.Code.Value = code
	}
	return s.again(w, r, "device", p, err, &p.Code)
}

// answerDevice approves a program, or refuses it.
func (s *site) answerDevice(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	code, yes := form.Get("user_code"), form.Get("answer") == "yes"
	if err := s.Login.AnswerDevice(r.Context(), code, yes, v.Bearer, s.client(r)); err != nil {
		return s.deviceAgain(w, r, v, code, err)
	}
	if !yes {
		return see(w, r, done(deviceDonePath, "device-refused"))
	}
	return see(w, r, done(deviceDonePath, "device-approved"))
}

// showDeviceDone is where the answer leads.
func (s *site) showDeviceDone(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p := &deviceDonePage{narrow("You can close this page")}
	p.User = v.User
	return s.render(w, r, http.StatusOK, "device-done", p)
}
