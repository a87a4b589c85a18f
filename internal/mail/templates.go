package mail

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"
)

// The mails are plain: no pictures, nothing that is loaded from elsewhere, and
// the link in full, so that people see where it leads.
//
//go:embed templates/*
var files embed.FS

var (
	texts = text.Must(text.New("").Funcs(text.FuncMap{"time": spell, "name": plainName}).ParseFS(files, "templates/*.txt"))
	htmls = html.Must(html.New("").Funcs(html.FuncMap{"time": spell, "name": plainName}).ParseFS(files, "templates/*.html"))
)

// spell writes a moment for people of any place.
func spell(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// VerifyAddress asks the reader of a mailbox whether an account is theirs.
// Strangers can have it sent to any address, and choose the names in it: they
// stand in it as [plainName] leaves them, a few of each, and never in the
// subject.
type VerifyAddress struct {
	Host          string // ours, as the address bar shows it
	Address       string // the account's
	Name          string // the account's real name
	Made          time.Time
	IP            string   // that it was made from; may be empty
	Organizations []string // that it belongs to, by name
	Providers     []string // identity providers that it is linked to, by name
	Link          string
	Until         time.Time // when the link ends
}

// mostNamed is how many organizations, or identity providers, a mail names.
const mostNamed = 3

// A few is the first of some names, and how many there are besides.
type few struct {
	Names []string
	More  int
}

func firstFew(names []string) few {
	n := min(len(names), mostNamed)
	return few{names[:n], len(names) - n}
}

// Message writes it to the account's address.
func (v VerifyAddress) Message() (Message, error) {
	m, err := write("verify-address", struct {
		VerifyAddress
		Organizations, Providers few
	}{v, firstFew(v.Organizations), firstFew(v.Providers)})
	m.Kind, m.To, m.Until = Verification, v.Address, v.Until
	m.Subject = "Confirm your email address for " + v.Host
	return m, err
}

// AccountLinked tells a person that their account can be used through an
// identity provider from now on.
type AccountLinked struct {
	Host         string
	Address      string // the account's
	Provider     string // the identity provider's name
	Organization string // its organization's
	At           time.Time
	IP           string // may be empty
	Profile      string // the page where one sees to one's account
}

// Message writes it to the account's address.
func (a AccountLinked) Message() (Message, error) {
	m, err := write("account-linked", a)
	m.Kind, m.To = Linked, a.Address
	m.Subject = "Your account on " + a.Host + " was linked to an identity provider"
	return m, err
}

// ProgramLoggedIn tells a person that a program was logged in to their account
// by a code that was typed in on another device.
type ProgramLoggedIn struct {
	Host      string
	Address   string // the account's
	Program   string // what the program calls itself
	At        time.Time
	ProgramIP string // may be empty
	BrowserIP string // may be empty
	Tokens    string // the page where one ends sessions
}

// Message writes it to the account's address.
func (p ProgramLoggedIn) Message() (Message, error) {
	m, err := write("program-logged-in", p)
	m.Kind, m.To = DeviceLogin, p.Address
	m.Subject = "A program was logged in to your account on " + p.Host
	return m, err
}

// CredentialChanged tells a person that a way into their account was changed.
type CredentialChanged struct {
	Host    string
	Address string // the account's
	What    string // a sentence of ours, such as "The password was changed."

	Provider     string // the identity provider that it concerns; empty: none
	Organization string // the provider's

	At      time.Time
	IP      string // may be empty
	Profile string // the page where one sees to one's account
}

// Message writes it to the account's address.
func (c CredentialChanged) Message() (Message, error) {
	m, err := write("credential-changed", c)
	m.Kind, m.To = Notice, c.Address
	m.Subject = "A way into your account on " + c.Host + " was changed"
	return m, err
}

// write fills both forms of a mail.
func write(name string, value any) (Message, error) {
	var plain, rich bytes.Buffer
	if err := texts.ExecuteTemplate(&plain, name+".txt", value); err != nil {
		return Message{}, fmt.Errorf("write mail %s: %w", name, err)
	}
	if err := htmls.ExecuteTemplate(&rich, name+".html", value); err != nil {
		return Message{}, fmt.Errorf("write mail %s: %w", name, err)
	}
	return Message{Text: strings.TrimSpace(plain.String()) + "\n", HTML: rich.String()}, nil
}
