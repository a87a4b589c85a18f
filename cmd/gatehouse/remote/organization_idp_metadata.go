package remote

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
)

// metadataColumns are what is shown of an identity provider's metadata.
var metadataColumns = []string{"state", "saml_idp_metadata_url", "saml_metadata_updates", "checked_at", "succeeded_at", "next_at"}

// metadataOf is the address of what is known of an identity provider's metadata.
func (i idpPlace) metadataOf(o organization, leaf ...string) string {
	return o.accountPath(append([]string{"authentication", i.ID, "metadata-refresh"}, leaf...)...)
}

// An idpPlace is an identity provider that a command is about.
type idpPlace struct {
	Place
	ID string `arg:"" name:"authentication_method_id" help:"The identity provider."`
}

type idpMetadata struct{ idpPlace }

// Run shows how the metadata stands.
func (i idpMetadata) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, i.metadataOf(o))
	if err != nil {
		return err
	}
	return c.showMetadata(answer, i.ID)
}

type idpMetadataRefresh struct{ idpPlace }

// Run has the metadata fetched. That it cannot be is a failure.
func (i idpMetadataRefresh) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, i.metadataOf(o), nil)
	if err != nil {
		return err
	}
	if err := c.showMetadata(answer, i.ID); err != nil {
		return err
	}
	var got struct {
		Outcome string `json:"outcome"`
	}
	if json.Unmarshal(answer, &got) != nil {
		return errShape
	}
	words, known := outcomeWords[got.Outcome]
	switch {
	case got.Outcome == "failed":
		return errNotFetched
	case !known || c.json:
		return nil
	}
	return c.Terminal.line("%s", words)
}

// errNotFetched is the failure of a fetch that the server made and kept.
var errNotFetched = withHint(errors.New("the metadata was not fetched"), "nothing is changed, and it is tried again by itself").exits(exitFailed)

// outcomeWords say what came of a fetch.
var outcomeWords = map[string]string{
	"unchanged":  "The metadata says what is set.",
	"applied":    "The metadata said something else than was set. It is set now.",
	"superseded": "Somebody changed the settings meanwhile, or another fetch was faster. Fetch again to be sure.",
}

// showMetadata prints how the metadata stands; and, where a change waits for
// approval, what it is, and how to decide.
func (c *Call) showMetadata(answer json.RawMessage, id string) error {
	if err := c.show(answer, "metadata_refresh", metadataColumns...); err != nil || c.json {
		return err
	}
	var got struct {
		Metadata struct {
			Failure string          `json:"failure"`
			Pending json.RawMessage `json:"pending"`
		} `json:"metadata_refresh"`
	}
	if json.Unmarshal(answer, &got) != nil {
		return errShape
	}
	if got.Metadata.Failure != "" {
		if err := c.Terminal.line("\nThe last fetch failed. %s What is set stays.", plain(got.Metadata.Failure)); err != nil {
			return err
		}
	}
	if len(got.Metadata.Pending) == 0 || string(got.Metadata.Pending) == "null" {
		return nil
	}
	var pending struct {
		ID string `json:"pending_id"`
	}
	if json.Unmarshal(got.Metadata.Pending, &pending) != nil {
		return errShape
	}
	if err := c.Terminal.line("\nThis change waits for approval:"); err != nil {
		return err
	}
	rows, err := rowsOf(got.Metadata.Pending, "changes")
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, line := range []struct{ label, key string }{{"  before: ", "before"}, {"  after:  ", "after"}} {
			if line.key == "before" {
				if err := c.Terminal.line("%s", r.cell("field")); err != nil {
					return err
				}
			}
			text, _ := r[line.key].(string)
			if text == "" {
				text = "nothing"
			}
			if err := c.Terminal.line("%s%s", line.label, plain(text)); err != nil {
				return err
			}
		}
	}
	return c.Terminal.line("\nTake it over with gatehouse organization idp-metadata-apply %s --pending-id %s, or refuse it with idp-metadata-discard.", plain(id), plain(pending.ID))
}

// A decision is what is to become of a change.
type decision struct {
	idpPlace
	Pending string `name:"pending-id" help:"The change that you looked at: another one is then refused." placeholder:"ID"`
}

type idpMetadataApply struct{ decision }

// Run takes a change over.
func (i idpMetadataApply) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	in := map[string]any{}
	if i.Pending != "" {
		in["pending_id"] = i.Pending
	}
	answer, err := c.do(ctx, http.MethodPost, i.metadataOf(o, "apply"), in)
	if err != nil {
		return err
	}
	return c.show(answer, "authentication_method", idpColumns...)
}

type idpMetadataDiscard struct{ decision }

// Run refuses a change.
func (i idpMetadataDiscard) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	path := i.metadataOf(o)
	if i.Pending != "" {
		path += "?pending_id=" + url.QueryEscape(i.Pending)
	}
	answer, err := c.do(ctx, http.MethodDelete, path, nil)
	if err != nil {
		return err
	}
	return c.say(answer, "Discarded. It is brought again only if the metadata changes once more, or somebody fetches it by hand.")
}
