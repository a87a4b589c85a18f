package remote

import (
	"context"
	"net/http"
)

var groupColumns = []string{"user_group_name", "user_group_id", "description", "idp_managed"}

type groupList struct{ Place }

// Run lists groups.
func (g groupList) Run(ctx context.Context, env *Env) error {
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("user-groups"))
	if err != nil {
		return err
	}
	return c.show(answer, "user_groups", "user_group_name", "user_group_id", "member_count", "description", "idp_managed")
}

type groupCreate struct {
	Place
	Name        string `arg:"" help:"What the group is called; unique in the organization."`
	Description string `help:"What it is for."`
	IdPManaged  bool   `name:"idp-managed" help:"Identity providers put people into it and take them out, by its name; nobody else can."`
}

// Run makes a group.
func (g groupCreate) Run(ctx context.Context, env *Env) error {
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("user-groups"), map[string]any{"user_group_name": g.Name, "description": g.Description, "idp_managed": g.IdPManaged})
	if err != nil {
		return err
	}
	return c.show(answer, "", groupColumns...)
}

type groupShow struct {
	Place
	Group string `arg:"" name:"group_id" help:"The group."`
}

// Run lists members.
func (g groupShow) Run(ctx context.Context, env *Env) error {
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("user-groups", g.Group, "members"))
	if err != nil {
		return err
	}
	return c.show(answer, "members", "user_info.user_email", "user_info.real_name", "user_id", "user_info.state")
}

type groupUpdate struct {
	Place
	Group       string  `arg:"" name:"group_id" help:"The group."`
	Name        *string `help:"What it is called from now on."`
	Description *string `help:"What it is for; \"\" for nothing."`
	IdPManaged  *bool   `name:"idp-managed" help:"Whether identity providers put people into it and take them out." placeholder:"true|false"`
}

// Run changes a group.
func (g groupUpdate) Run(ctx context.Context, env *Env) error {
	in := map[string]any{}
	if g.Name != nil {
		in["user_group_name"] = *g.Name
	}
	if g.Description != nil {
		in["description"] = *g.Description
	}
	if g.IdPManaged != nil {
		in["idp_managed"] = *g.IdPManaged
	}
	if len(in) == 0 {
		return usage("say what to change: --name, --description or --idp-managed")
	}
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPatch, o.path("user-groups", g.Group), in)
	if err != nil {
		return err
	}
	return c.show(answer, "", groupColumns...)
}

type groupDelete struct {
	Place
	Group string `arg:"" name:"group_id" help:"The group."`
}

// Run deletes a group.
func (g groupDelete) Run(ctx context.Context, env *Env) error {
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, o.path("user-groups", g.Group), nil)
	if err != nil {
		return err
	}
	return c.say(answer, "Deleted")
}

type groupAdd struct{ groupMembers }

// Run adds people.
func (g groupAdd) Run(ctx context.Context, env *Env) error {
	return g.change(ctx, env, "add_members", "Added")
}

type groupRemove struct{ groupMembers }

// Run removes people.
func (g groupRemove) Run(ctx context.Context, env *Env) error {
	return g.change(ctx, env, "remove_members", "Removed")
}

type groupMembers struct {
	Place
	Group string   `arg:"" name:"group_id" help:"The group."`
	Users []string `arg:"" name:"user_id" help:"People, by their ids."`
}

func (g groupMembers) change(ctx context.Context, env *Env, operation, done string) error {
	c, o, err := g.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPatch, o.path("user-groups", g.Group, "members"), map[string]any{"operation": operation, "member_ids": g.Users})
	if err != nil {
		return err
	}
	return c.say(answer, "%s", done)
}
