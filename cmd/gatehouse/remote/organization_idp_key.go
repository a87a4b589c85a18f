package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// keyColumns are what is shown of a key of ours towards an identity provider.
var keyColumns = []string{"state", "key_type", "uses", "fingerprint_sha256", "not_valid_after", "switch_at", "accepted_until"}

// An idpKeyPlace is an identity provider whose keys of ours a command is about.
type idpKeyPlace struct {
	Place
	ID string `arg:"" name:"authentication_method_id" help:"The identity provider."`
}

// keys sends a request about keys, shows those that there are then, and says
// what to do next.
func (i idpKeyPlace) keys(ctx context.Context, env *Env, method string, in any, next string, leaf ...string) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, method, o.accountPath(append([]string{"authentication", i.ID, "sp-keys"}, leaf...)...), in)
	if err != nil {
		return err
	}
	if err := c.show(answer, "sp_keys", keyColumns...); err != nil || c.json || next == "" {
		return err
	}
	return c.Terminal.line("%s", next)
}

type idpKeys struct {
	idpKeyPlace
	PEM bool `name:"pem" help:"Print the certificates alone, the present one first, as an identity provider takes them."`
}

// Run lists our keys.
func (i idpKeys) Run(ctx context.Context, env *Env) error {
	if !i.PEM {
		return i.keys(ctx, env, http.MethodGet, nil, "")
	}
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.accountPath("authentication", i.ID, "sp-keys"))
	if err != nil {
		return err
	}
	var list struct {
		Keys []struct {
			Certificate string `json:"certificate"`
		} `json:"sp_keys"`
	}
	if json.Unmarshal(answer, &list) != nil {
		return errShape
	}
	for _, k := range list.Keys {
		if _, err := fmt.Fprint(c.Terminal.Out, k.Certificate); err != nil {
			return err
		}
	}
	return nil
}

type idpKeyPrepare struct {
	idpKeyPlace
	Type string `name:"key-type" help:"rsa-2048, which is the default, rsa-3072, or ecdsa-p256 for identity providers that ask for it." enum:",rsa-2048,rsa-3072,ecdsa-p256" default:"" placeholder:"TYPE"`
	At   string `name:"switch-at" help:"When it is taken into use by itself, such as 2030-01-31T12:00:00Z or 2030-01-31, which begins in UTC." placeholder:"TIME"`
}

// Run makes the next key.
func (i idpKeyPrepare) Run(ctx context.Context, env *Env) error {
	in := map[string]any{}
	if i.Type != "" {
		in["key_type"] = i.Type
	}
	if i.At != "" {
		at, err := time.Parse(time.DateOnly, i.At)
		if err != nil {
			at, err = time.Parse(time.RFC3339, i.At)
		}
		if err != nil {
			return usage("--switch-at %s is no time such as 2030-01-31T12:00:00Z or 2030-01-31", i.At)
		}
		in["switch_at"] = at.UTC().Format(time.RFC3339)
	}
	next := "Now let the identity provider learn the next certificate: have it read our metadata again, or add the certificate there beside the present one. Then switch with gatehouse organization idp-key-switch."
	if i.At != "" {
		next = "Until then let the identity provider learn the next certificate: have it read our metadata again, or add the certificate there beside the present one."
	}
	return i.keys(ctx, env, http.MethodPost, in, next)
}

type idpKeySwitch struct {
	idpKeyPlace
	Keep *int `name:"keep-previous-days" help:"For how many days what is encrypted to the present key is accepted still: 0 to 90; 7 unless said." placeholder:"N"`
}

// Run takes the next key into use.
func (i idpKeySwitch) Run(ctx context.Context, env *Env) error {
	in := map[string]any{}
	if i.Keep != nil {
		in["keep_previous_days"] = *i.Keep
	}
	return i.keys(ctx, env, http.MethodPost, in, "Now take the previous certificate away at the identity provider, and let it encrypt to the present one.", "switch")
}

type idpKeyCancel struct{ idpKeyPlace }

// Run drops the next key.
func (i idpKeyCancel) Run(ctx context.Context, env *Env) error {
	return i.keys(ctx, env, http.MethodDelete, nil, "If the identity provider has its certificate already, take it away there.", "next")
}

type idpKeyForget struct{ idpKeyPlace }

// Run drops the previous key.
func (i idpKeyForget) Run(ctx context.Context, env *Env) error {
	return i.keys(ctx, env, http.MethodDelete, nil, "", "previous")
}
