package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
	"gatehouse/login"
	"gatehouse/store"
)

// recoverCommand is the last resort of an organization that nobody can log in
// to any more. Whoever may run it can read and change the database anyway.
type recoverCommand struct {
	Organization string `help:"Organization to recover." placeholder:"ORG" required:""`
	LoginLink    string `name:"login-link" help:"Make a link that logs this person in, once, within 15 minutes. The person has to be a super admin of the organization." placeholder:"EMAIL"`
	GrantAdmin   bool   `name:"grant-admin" help:"With --login-link: make the person, who has an account here, a super admin first."`
	PublicURL    string `name:"public-url" help:"Address under which browsers reach the server, as the server's own flag says; http://127.0.0.1:8080 unless said." placeholder:"URL" env:"GATEHOUSE_PUBLIC_URL"`
	JSON         bool   `name:"json" help:"Print the result as JSON."`

	storageFlags
}

// Help is shown above the flags.
func (recoverCommand) Help() string {
	return "Run it on the server's own machine, with the same --data, --keys and --database-url; the server may be running. What it does stands in the organization's audit log."
}

// A recovered is what the command prints.
type recovered struct {
	OrganizationID   string    `json:"organization_id"`
	OrganizationName string    `json:"organization_name"`
	Email            string    `json:"email"`
	LoginLink        string    `json:"login_link"`
	ExpiresAt        time.Time `json:"expires_at"`
}

// Run makes the link and prints it.
func (c *recoverCommand) Run(ctx context.Context, stdout io.Writer) error {
	if c.LoginLink == "" {
		return errors.New("say what to do: --login-link EMAIL makes a link that logs a super admin in")
	}
	public, err := publicURL(c.PublicURL, "127.0.0.1:8080")
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.Store, _ *seal.Keyring) error { return c.makeLink(ctx, db, public.String(), stdout) })
}

// makeLink makes a link below the public URL.
func (c *recoverCommand) makeLink(ctx context.Context, db *store.Store, public string, stdout io.Writer) error {
	recovery := &login.Recovery{Store: db, Now: time.Now, Audit: auditLog(db)}
	secret, to, err := recovery.MakeLink(ctx, c.Organization, c.LoginLink, c.GrantAdmin)
	if err != nil {
		return c.explain(err)
	}
	out := recovered{
		OrganizationID: to.Organization.ID, OrganizationName: to.Organization.Name, Email: to.User.Email,
		LoginLink: public + "/recover/" + secret, ExpiresAt: to.ExpiresAt.UTC().Truncate(time.Second),
	}
	if c.JSON {
		return json.NewEncoder(stdout).Encode(out)
	}
	_, err = fmt.Fprintf(stdout, "%s\n\nThis link logs %s in to %s, once, until %s. Whoever has it is let in: send it over a way that you trust.\n",
		out.LoginLink, out.Email, out.OrganizationName, out.ExpiresAt.Format(time.RFC3339))
	return err
}

// explain gives what the error says to whoever called, and what may help.
func (c *recoverCommand) explain(err error) error {
	f := fault.Of(err)
	switch {
	case f.Code == "not_super_admin":
		return fmt.Errorf("%s --grant-admin makes them one", f.Message)
	case f.Kind == fault.Internal:
		return err
	}
	return errors.New(f.Message)
}
