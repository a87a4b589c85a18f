package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gatehouse/client"
)

// domainColumns are what is shown of a domain.
var domainColumns = []string{"domain_name", "domain_id", "state", "verification_type", "linked_authentication_method_ids"}

// A named is a domain of an organization.
type named struct {
	Place
	Domain string `required:"" help:"The domain, by its name or its id." placeholder:"DOMAIN"`
}

type domainList struct{ Place }

// Run lists domains.
func (d domainList) Run(ctx context.Context, env *Env) error {
	c, o, err := d.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("domains"))
	if err != nil {
		return err
	}
	return c.show(answer, "domains", append(domainColumns, "record_missing_since", "claim_ends_at")...)
}

type domainAdd struct {
	Place
	Domain string `required:"" help:"The part of your people's addresses after the @." placeholder:"DOMAIN"`
	Type   string `name:"verification-type" help:"How it is to be proved: dns, by a TXT record; or http, by a file, where the server offers it." enum:",dns,http" default:"" placeholder:"dns|http"`
}

// Run claims a domain, and says what to publish.
func (d domainAdd) Run(ctx context.Context, env *Env) error {
	c, o, err := d.open(ctx, env)
	if err != nil {
		return err
	}
	in := map[string]string{"domain_name": d.Domain}
	if d.Type != "" {
		in["verification_type"] = d.Type
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("domains"), in)
	if err != nil {
		return err
	}
	return c.showDomain(answer)
}

type domainGet struct{ named }

// Run shows a domain.
func (d domainGet) Run(ctx context.Context, env *Env) error {
	c, o, err := d.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("domains", d.Domain))
	if err != nil {
		return err
	}
	return c.showDomain(answer)
}

type domainRemove struct{ named }

// Run removes a domain.
func (d domainRemove) Run(ctx context.Context, env *Env) error {
	c, o, err := d.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, o.path("domains", d.Domain), nil)
	if err != nil {
		return err
	}
	return c.say(answer, "Removed")
}

// showDomain prints a domain; and, until it is proved, or where its proof is
// missing, what to publish, ready to be copied.
func (c *Call) showDomain(answer json.RawMessage) error {
	if err := c.show(answer, "", domainColumns...); err != nil || c.json {
		return err
	}
	rows, err := rowsOf(answer, "")
	if err != nil {
		return err
	}
	d := rows[0]
	missing, _ := d["record_missing_since"].(string)
	if d["state"] == "verified" && missing == "" {
		return nil
	}
	lines := []string{"", "Publish this file on the domain's web site:", "", "URL:     " + d.cell("proof_url"), "Content: " + d.cell("proof_content")}
	if d["verification_type"] == "dns" {
		name, value := d.cell("txt_record_name"), d.cell("txt_record_value")
		lines = []string{
			"", "Publish this record in the DNS of " + d.cell("domain_name") + ":", "",
			"Name:  " + name, "Type:  TXT", "Value: " + value, "",
			"In a zone file:", "", fmt.Sprintf("%s. 300 IN TXT %q", name, value),
		}
	}
	if missing != "" {
		lines = append(lines, "", "It is missing since "+d.cell("record_missing_since")+". The claim ends at "+d.cell("claim_ends_at")+", unless it comes back.")
	}
	if finding, _ := d["last_finding"].(string); finding != "" {
		lines = append(lines, "", "Last time: "+plain(finding))
	}
	for _, line := range lines {
		if err := c.Terminal.line("%s", line); err != nil {
			return err
		}
	}
	return nil
}

type domainVerify struct {
	named
	Wait    bool          `help:"Look again, in growing pauses, until the proof is there."`
	Timeout time.Duration `help:"How long to look with --wait; an hour unless said." default:"1h" placeholder:"DURATION"`
}

// Pauses between two looks.
const (
	firstPause = 2 * time.Second
	mostPause  = time.Minute
)

// Run looks for the proof of a domain: once, or until it is there.
func (d domainVerify) Run(ctx context.Context, env *Env) error {
	if d.Timeout <= 0 {
		return usage("--timeout has to be more than 0")
	}
	c, o, err := d.open(ctx, env)
	if err != nil {
		return err
	}
	look := func(ctx context.Context) (json.RawMessage, error) {
		return c.do(ctx, http.MethodPost, o.path("domains", d.Domain, "verify"), nil)
	}
	var answer json.RawMessage
	if d.Wait {
		answer, err = c.lookUntil(ctx, d.Timeout, look)
	} else if answer, err = look(ctx); passes(err) {
		err = hinted(err, "gatehouse organization domain-verify --domain "+plain(d.Domain)+" --wait looks until it is there")
	}
	if err != nil {
		return err
	}
	if err := c.showDomain(answer); err != nil || c.json {
		return err
	}
	return c.Terminal.line("Verified")
}

// lookUntil looks until something is found, an error does not pass by itself,
// or the time is over; and says on the way what each look found that the one
// before did not.
func (c *Call) lookUntil(ctx context.Context, patience time.Duration, look func(context.Context) (json.RawMessage, error)) (json.RawMessage, error) {
	late := c.Client.After(patience)
	said := ""
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		answer, err := look(ctx)
		if !passes(err) {
			return answer, err
		}
		var e *client.Error
		if errors.As(err, &e) {
			pause = max(pause, min(e.RetryAfter, mostPause))
		}
		why := plain(err.Error())
		if why != said {
			c.note("%s", why)
			said = why
		}
		c.note("Looking again in %s…", pause)
		select {
		case <-ctx.Done():
			return nil, errInterrupted
		case <-late:
			return nil, hinted(err, fmt.Sprintf("this is what the last look within %s found; --timeout says how long to look", patience))
		case <-c.Client.After(pause):
		}
	}
}

// passes says whether a failure to verify may be over by itself.
func passes(err error) bool {
	var e *client.Error
	if errors.As(err, &e) {
		return e.Code == "organization_domain_verification_failed" || e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
	}
	return errors.Is(err, client.ErrAway)
}

// hinted gives a failure another hint.
func hinted(err error, hint string) error {
	var f *Failure
	if errors.As(err, &f) {
		f.Hint = hint
	}
	return err
}

type idpLink struct {
	named
	ID string `arg:"" name:"authentication_method_id" help:"The identity provider."`
}

// Run has an identity provider speak for a domain.
func (i idpLink) Run(ctx context.Context, env *Env) error {
	c, o, err := i.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPut, o.path("authentication-methods", i.ID, "domains"), map[string]string{"domain_id": i.Domain})
	if err != nil {
		return err
	}
	return c.say(answer, "Linked")
}

type idpUnlink struct{ idpLink }

// Run has an identity provider speak for a domain no longer.
func (i idpUnlink) Run(ctx context.Context, env *Env) error {
	c, o, err := i.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, o.path("authentication-methods", i.ID, "domains", i.Domain), nil)
	if err != nil {
		return err
	}
	return c.say(answer, "Unlinked")
}
