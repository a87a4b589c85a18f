package web

import (
	"net/http"
	"regexp"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// A DevMail is a mail that a demonstration kept instead of sending it.
type DevMail struct {
	ID      string
	To      string
	Subject string
	Text    string
	HTML    string
	At      time.Time
}

// devRoutes are there where mails are kept for a demonstration, and nowhere
// else.
func (s *site) devRoutes() []route {
	return []route{
		{"GET /dev/mail", account.Anyone, s.listDevMails},
		{"GET /dev/mail/{mail}", account.Anyone, s.showDevMail},
		{"GET /dev/mail/{mail}/html", account.Anyone, s.showDevMailHTML},
	}
}

// A devMailsPage lists the mails, newest first.
type devMailsPage struct {
	page
	Mails []devMailView
}

// A devMailView is a mail as a page shows it.
type devMailView struct {
	DevMail
	When  moment
	Links []string // that the text holds
}

// A devMailPage shows one mail.
type devMailPage struct {
	page
	Mail devMailView
}

var linkInText = regexp.MustCompile(`https?://[^\s<>"]+`)

func (s *site) viewDevMail(m DevMail) devMailView {
	return devMailView{DevMail: m, When: s.moment(m.At), Links: linkInText.FindAllString(m.Text, -1)}
}

func (s *site) listDevMails(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	p := &devMailsPage{page: narrow("Mail of this demonstration")}
	for _, m := range s.DevMails() {
		p.Mails = append(p.Mails, s.viewDevMail(m))
	}
	return s.render(w, r, http.StatusOK, "dev-mails", p)
}

func (s *site) showDevMail(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	m, err := s.devMail(r)
	if err != nil {
		return err
	}
	p := &devMailPage{page: narrow(m.Subject), Mail: s.viewDevMail(m)}
	p.csp.frame = true
	return s.render(w, r, http.StatusOK, "dev-mail", p)
}

// showDevMailHTML gives the HTML of a mail for the frame on its page: as
// mailboxes show it, without scripts and without anything from elsewhere.
func (s *site) showDevMailHTML(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	m, err := s.devMail(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'; sandbox")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	_, _ = w.Write([]byte(m.HTML))
	return nil
}

func (s *site) devMail(r *http.Request) (DevMail, error) {
	for _, m := range s.DevMails() {
		if m.ID == r.PathValue("mail") {
			return m, nil
		}
	}
	return DevMail{}, fault.NotFound.Errorf("There is no such mail. The demonstration keeps the last hundred, until it stops.")
}
