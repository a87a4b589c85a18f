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
	"gatehouse/policy"
	"gatehouse/store"
)

// recoverCommand is the last resort of an organization that nobody can log in
// to any more. Whoever may run it can read and change the database anyway.
type recoverCommand struct {
	Organization string `help:"Organization to recover." placeholder:"ORG" required:""`
	LoginLink    string `name:"login-link" help:"Make a link that logs this person in, once, within 15 minutes. The person has to be a super admin of the organization." placeholder:"EMAIL"`
	ResetPolicy  bool   `name:"reset-policy" help:"Make the organization's authentication policy the usual one: every way to log in is admitted, from every address."`
	ClearRanges  bool   `name:"clear-ip-ranges" help:"Take the address ranges alone out of the organization's authentication policy."`
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
	OrganizationID   string     `json:"organization_id"`
	OrganizationName string     `json:"organization_name"`
	PolicyReset      bool       `json:"policy_reset"`
	RangesCleared    bool       `json:"ip_ranges_cleared"`
	Email            string     `json:"email,omitempty"`
	LoginLink        string     `json:"login_link,omitempty"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty"`
}

// Run does what is asked for, and prints what came of it.
func (c *recoverCommand) Run(ctx context.Context, stdout io.Writer) error {
	switch {
	case c.LoginLink == "" && !c.ResetPolicy && !c.ClearRanges:
		return errors.New("say what to do: --reset-policy, --clear-ip-ranges, or --login-link EMAIL, which makes a link that logs a super admin in")
	case c.GrantAdmin && c.LoginLink == "":
		return errors.New("--grant-admin goes with --login-link EMAIL: it says who becomes a super admin")
	}
	public, err := publicURL(c.PublicURL, "127.0.0.1:8080")
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.Store, _ *seal.Keyring) error { return c.recover(ctx, db, public.String(), stdout) })
}

// recover opens the policy first: the link is of little use while the ranges
// keep its person out.
func (c *recoverCommand) recover(ctx context.Context, db *store.Store, public string, stdout io.Writer) error {
	o, err := db.Organization(ctx, c.Organization)
	if errors.Is(err, fault.NotFound) {
		return c.explain(fault.NotFound.Errorf("There is no organization %s.", c.Organization))
	}
	if err != nil {
		return err
	}
	out := recovered{OrganizationID: o.ID, OrganizationName: o.Name, PolicyReset: c.ResetPolicy, RangesCleared: c.ClearRanges || c.ResetPolicy}
	if err := c.openPolicy(ctx, db); err != nil {
		return c.explain(err)
	}
	if c.LoginLink != "" {
		if err := c.makeLink(ctx, db, public, &out); err != nil {
			return c.explain(err)
		}
	}
	if c.JSON {
		return json.NewEncoder(stdout).Encode(out)
	}
	return out.print(stdout)
}

// openPolicy takes away what the policy keeps people out by.
func (c *recoverCommand) openPolicy(ctx context.Context, db *store.Store) error {
	policies := &policy.Policies{Store: db, Now: time.Now, Audit: auditLog(db)}
	switch {
	case c.ResetPolicy:
		return policies.Reset(ctx, c.Organization)
	case c.ClearRanges:
		return policies.ClearRanges(ctx, c.Organization)
	}
	return nil
}

// makeLink makes a link below the public URL.
func (c *recoverCommand) makeLink(ctx context.Context, db *store.Store, public string, out *recovered) error {
	recovery := &login.Recovery{Store: db, Now: time.Now, Audit: auditLog(db)}
	secret, to, err := recovery.MakeLink(ctx, c.Organization, c.LoginLink, c.GrantAdmin)
	if err != nil {
		return err
	}
	ends := to.ExpiresAt.UTC().Truncate(time.Second)
	out.Email, out.LoginLink, out.ExpiresAt = to.User.Email, public+"/recover/"+secret, &ends
	return nil
}

// print says it to people: the link, where there is one, on a line of its own.
func (r recovered) print(to io.Writer) (err error) {
	switch {
	case r.PolicyReset:
		_, err = fmt.Fprintf(to, "The authentication policy of %s is the usual one again: every way to log in is admitted, from every address.\n", r.OrganizationName)
	case r.RangesCleared:
		_, err = fmt.Fprintf(to, "%s admits every address again.\n", r.OrganizationName)
	}
	if err != nil || r.LoginLink == "" {
		return err
	}
	_, err = fmt.Fprintf(to, "%s\n\nThis link logs %s in to %s, once, until %s. Whoever has it is let in: send it over a way that you trust.\n",
		r.LoginLink, r.Email, r.OrganizationName, r.ExpiresAt.Format(time.RFC3339))
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
