package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/sso"
	"gatehouse/web"
)

// The demonstration's administrator, who logs in with a password that
// everybody knows. It exists only where --dev made the database, whose mark
// keeps every other server from starting on it; and --dev is for loopback
// addresses alone.
const (
	demoAdmin    = "admin@acme.test"
	demoPassword = "open-the-gate"
	demoMark     = "demonstration"
)

// refuseDemonstration keeps a server for real people from a database whose
// operator's password everybody knows.
func (c *serveCommand) refuseDemonstration(ctx context.Context, w *wired) error {
	if c.Dev {
		return nil
	}
	_, err := w.store.Marked(ctx, demoMark)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot tell whether this database is a demonstration: %w", err)
	}
	return errors.New("--dev made this database, with an operator whose password everybody knows: give another --data, or start it with --dev")
}

// dev is the demonstration: an identity provider and an organization that
// uses it.
type dev struct {
	idp      *demoidp.IdP
	method   *sso.IdP
	listener net.Listener
	handler  http.Handler
	base     string
	mail     string // where mail is to be read, as the greeting says it; may be empty
}

// startDev listens for the demonstration IdP and makes the organization Acme,
// once.
func startDev(ctx context.Context, c *serveCommand, w *wired) (*dev, error) {
	listener, err := net.Listen("tcp", c.DevListen)
	if err != nil {
		return nil, fmt.Errorf("the demonstration identity provider cannot listen on %s: %w", c.DevListen, errors.Unwrap(err))
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	// localhost is another site than 127.0.0.1, so that cookies behave as they
	// do between two companies.
	idp, err := demoidp.New("http://localhost:" + port)
	if err != nil {
		listener.Close()
		return nil, err
	}
	idp.Users = append(idp.Users, demoidp.User{Username: "carol", Email: "carol@acme.test", FirstName: "Carol", LastName: "Newcomer", Title: "has no account in Gatehouse yet"})
	d := &dev{idp: idp, listener: listener, handler: idp.Handler(), base: w.base}
	if err := w.store.Tx(ctx, func(ctx context.Context) error { return d.seed(ctx, w) }); err != nil {
		listener.Close()
		return nil, fmt.Errorf("cannot make the demonstration: %w", err)
	}
	idp.Register(demoidp.SP{EntityID: d.method.MetadataURL(), ACSURL: d.method.ACSURL(), Name: "Gatehouse"})
	idp.Lookup = d.lookup
	if w.console.DevMails != nil {
		d.mail = "  Read the mail that it sends     " + w.base + "/dev/mail\n"
	}
	w.console.Dev = &web.Dev{Mail: w.console.DevMails != nil, Organization: "Acme", LoginURL: d.loginURL(), People: []web.DevPerson{
		{Name: "Alice, who administers Acme, through its identity provider", Email: "alice@acme.test"},
		{Name: "Bob, through the same", Email: "bob@acme.test"},
		{Name: "The operator, with a password", Email: demoAdmin, Password: demoPassword},
	}}
	return d, nil
}

// lookup lets any provider that is added here be connected to the
// demonstration, as an administrator would at a real one.
func (d *dev) lookup(entityID string) (demoidp.SP, bool) {
	id, ours := strings.CutPrefix(entityID, d.base+"/v1/sso/saml/metadata/")
	if !ours || strings.ContainsAny(id, "/?#") {
		return demoidp.SP{}, false
	}
	return demoidp.SP{EntityID: entityID, ACSURL: d.base + "/v1/sso/saml/acs/" + id, Name: "Gatehouse"}, true
}

// seed makes the demonstration's database, or finds it.
func (d *dev) seed(ctx context.Context, w *wired) error {
	made, err := w.people.AddOperator(ctx, account.NewUser{Email: demoAdmin, RealName: "Acme Admin", Password: demoPassword})
	if err != nil {
		return err
	}
	if made {
		err = w.store.Mark(ctx, demoMark, w.base)
	} else if _, err = w.store.Marked(ctx, demoMark); errors.Is(err, fault.NotFound) {
		return errors.New("the data folder holds a database that --dev did not make; give another one with --data")
	}
	if err != nil {
		return err
	}
	admin, err := w.store.UserByEmail(ctx, demoAdmin)
	if err != nil {
		return err
	}
	by := account.Actor{User: admin}
	metadata := string(d.idp.Metadata())
	if !made {
		return d.find(ctx, w, by, metadata)
	}
	org, err := w.organizations.Add(ctx, by, "Acme", "business")
	if err != nil {
		return err
	}
	name, identity := "Acme demonstration IdP", "username"
	change := sso.Change{Name: &name, Metadata: &metadata, Mapping: &sso.Mapping{Identity: identity}}
	if d.method, err = w.idps.Create(ctx, by, org, sso.New{Type: "saml", Change: change}); err != nil {
		return err
	}
	for _, u := range demoidp.Acme() {
		if err := d.addPerson(ctx, w, org, u); err != nil {
			return err
		}
	}
	return nil
}

// find gives the IdP of an earlier start the key of this one.
func (d *dev) find(ctx context.Context, w *wired, by account.Actor, metadata string) error {
	mine, err := w.store.Memberships(ctx, by.User.ID)
	if err != nil || len(mine) == 0 {
		return errors.Join(err, errors.New("the organization Acme is not there any more; start with an empty --data"))
	}
	methods, err := w.idps.List(ctx, mine[0].Organization)
	if err != nil || len(methods) == 0 {
		return errors.Join(err, errors.New("the identity provider of Acme is not there any more; start with an empty --data"))
	}
	if methods[0].Base != w.base {
		return fmt.Errorf("the demonstration was made for %s; start it there, or with another --data", methods[0].Base)
	}
	d.method, err = w.idps.Update(ctx, by, mine[0].Organization, methods[0].ID, sso.Change{Metadata: &metadata})
	return err
}

// addPerson makes an account that is linked to the IdP. Alice administers.
func (d *dev) addPerson(ctx context.Context, w *wired, org account.Organization, u demoidp.User) error {
	now := time.Now()
	person := account.User{
		ID: ident.New("u"), Email: u.Email, RealName: u.FirstName + " " + u.LastName, State: account.ActiveUser,
		AddressProved: true, CreatedAt: now, UpdatedAt: now,
	}
	if err := w.store.AddUser(ctx, person, ""); err != nil {
		return err
	}
	err := w.store.AddIdentity(ctx, account.Identity{
		MethodID: d.method.ID, SubjectKind: "attribute:username", Subject: u.Username,
		UserID: person.ID, Email: u.Email, CreatedAt: now, LastUsedAt: now,
	})
	if err != nil {
		return err
	}
	if err := w.store.AddMember(ctx, account.Member{OrganizationID: org.ID, UserID: person.ID, SuperAdmin: u.Username == "alice", JoinedAt: now}); err != nil {
		return err
	}
	// As if they had signed up through the provider themselves.
	details := audit.Details{"authentication_method_id": d.method.ID, "subject": u.Username, "subject_kind": "attribute:username"}
	if u.Username == "alice" {
		details["super_admin"] = "true"
	}
	return auditLog(w.store).Record(ctx, account.Actor{User: person}.Did(audit.UserSignUp, org.ID, person.Target(), details))
}

func (d *dev) loginURL() string { return d.base + "/v1/sso/saml/login/" + d.method.ID }

// greet says what to open, and as whom to log in.
func (d *dev) greet(out io.Writer) {
	fmt.Fprintf(out, `
  Gatehouse is running, with a demonstration identity provider on %s

  Log in through single sign-on   %s
                                  as alice (an administrator of Acme) or bob
  Sign up through it              %s/signup/%s
                                  as carol, who has no account yet
  Log in with a password          %s/login
                                  as %s, password %s
%s
  Press Ctrl-C to stop.

`, strings.TrimSuffix(d.idp.SSOURL, "/sso"), d.loginURL(), d.base, d.method.ID, d.base, demoAdmin, demoPassword, d.mail)
}
