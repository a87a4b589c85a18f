package remote

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/client"
)

// memberColumns are what is shown of a person of an organization.
var memberColumns = []string{"user_info.user_email", "user_info.real_name", "user_id", "user_info.state", "is_super_admin", "user_info.managing_organization_id"}

type userList struct{ Place }

// Run lists people.
func (u userList) Run(ctx context.Context, env *Env) error {
	c, o, err := u.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("user"))
	if err != nil {
		return err
	}
	return c.show(answer, "users", memberColumns...)
}

type userRemove struct {
	Place
	ID    string `arg:"" name:"user_id" help:"The person."`
	Force bool   `help:"Also if nobody could administer the organization any more."`
}

// Run removes a person.
func (u userRemove) Run(ctx context.Context, env *Env) error {
	c, o, err := u.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, forcing(o.path("user", u.ID), u.Force), nil)
	var no *client.Error
	if errors.As(err, &no) && no.Code == "cannot_remove_managed_users_from_organization" {
		return hinted(err, "gatehouse organization user-release "+plain(u.ID))
	}
	if err != nil {
		return forced(err, "--force removes them all the same")
	}
	return c.say(answer, "Removed")
}

type userRelease struct {
	Place
	ID string `arg:"" name:"user_id" help:"The person."`
}

// Run ends that a person is managed.
func (u userRelease) Run(ctx context.Context, env *Env) error {
	c, o, err := u.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("user", u.ID, "release"), nil)
	if err != nil {
		return err
	}
	return c.show(answer, "", memberColumns...)
}

type leave struct {
	Place
	Force bool `help:"Also if nobody could administer the organization any more."`
}

// Run leaves an organization.
func (l leave) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, forcing(o.path("leave"), l.Force), nil)
	if err != nil {
		return forced(err, "--force leaves all the same")
	}
	return c.say(answer, "Left")
}

// forcing adds to an address what overcomes a refusal.
func forcing(path string, force bool) string {
	if force {
		return path + "?force=true"
	}
	return path
}
