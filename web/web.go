// Package web serves what people see in a browser: the login pages, the
// console, and the SAML endpoints that browsers carry messages to.
//
// Every page is HTML from a template with a struct of its own, works without
// JavaScript, and answers a POST with a redirect; a new token alone is shown in
// the answer itself, since nothing keeps it. Who may come in is asked of
// package gate before a handler runs; what happens is decided by login,
// account and sso; a handler turns a form into a call and the result into a
// page. Errors become pages in one place (errors.go), routes are in one table
// (routes.go).
//
// Browsers are kept from doing harm by three things: a
// Content-Security-Policy that admits nothing from elsewhere and no script
// but our own files, http.CrossOriginProtection on everything but the
// assertion consumer and logout services, and return paths that only [login.SafeReturn]
// lets through.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Server serves the pages. All fields but Address, Dev and DevMails
// are required.
type Server struct {
	Gate          *gate.Gate
	Login         *login.Login
	People        *account.People
	Addresses     *account.Addresses
	Organizations *account.Organizations
	Groups        *account.Groups
	Members       *account.Members
	IdPs          *sso.IdPs
	Provider      *sso.Provider
	Tokens        *session.Tokens
	Domains       *domains.Domains
	Policies      *policy.Policies
	Sightings     *policy.Sightings
	Traces        *login.Traces
	Audit         *audit.Log
	Cookies       *session.CookieStore

	// Base is the public URL, without a slash at the end. Where a login is to
	// be finished and what the login pages say of the address bar follow it.
	Base string

	// Address gives the client's address, or the zero value if it is not
	// known; nil if it never is.
	Address func(*http.Request) netip.Addr

	Now func() time.Time
	Log *slog.Logger

	// Dev says whom to log in as, on a server for demonstrations; else nil.
	Dev *Dev

	// DevMails gives the mails that a demonstration kept instead of sending
	// them, newest first; nil where mails are sent, or none are.
	DevMails func() []DevMail
}

// A Dev is what the login page of a demonstration says.
type Dev struct {
	Organization string // the demonstration's, by name
	LoginURL     string // that organization's login link
	People       []DevPerson
	Mail         bool // its mails are kept, on a page
}

// A DevPerson is somebody whom a demonstration knows.
type DevPerson struct {
	Name     string // who it is, such as "Alice, through Acme's identity provider"
	Email    string
	Password string // empty for those who log in through the identity provider
}

// Handler serves all pages, static files and SAML endpoints. It expects that
// X-Request-Id stands in the response's header already: error pages show it
// and log lines carry it.
func (s *Server) Handler() http.Handler {
	site := &site{Server: s, assets: loadAssets()}
	site.templates = parseTemplates(site.assets)
	site.mux = http.NewServeMux()
	routes := site.routes()
	if s.DevMails != nil {
		routes = append(routes, site.devRoutes()...)
	}
	for _, rt := range routes {
		site.mux.Handle(rt.pattern, site.serve(rt))
	}
	site.mux.HandleFunc("/", site.nothing)
	site.crossOrigin = http.NewCrossOriginProtection()
	for _, p := range slices.Concat(acsPatterns, sloPatterns) {
		site.crossOrigin.AddInsecureBypassPattern("POST " + p)
	}
	return site
}

// A site is a server with what it is made of once.
type site struct {
	*Server
	assets      assets
	templates   templates
	mux         *http.ServeMux
	crossOrigin *http.CrossOriginProtection
}

// host is what the address bar shows on our pages.
func (s *site) host() string {
	u, err := url.Parse(s.Base)
	if err != nil {
		return s.Base
	}
	return u.Host
}

func (s *site) address(r *http.Request) netip.Addr {
	if s.Address == nil {
		return netip.Addr{}
	}
	return s.Address(r)
}

func (s *site) client(r *http.Request) login.Client {
	return login.Client{IP: s.address(r), UserAgent: r.UserAgent()}
}
