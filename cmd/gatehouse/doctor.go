package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"gatehouse/cmd/gatehouse/remote"
)

// doctorCommand looks at everything that a server with the same flags would
// use. It changes nothing.
type doctorCommand struct {
	JSON bool `name:"json" help:"Print the result as JSON."`

	serveCommand
}

// Help is shown above the flags.
func (doctorCommand) Help() string {
	return "Run it on the server's machine, as the server's user, with the server's flags, environment and configuration file; the server may be running. It changes nothing and sends no mail. The exit status is 0 where nothing is wrong, and 1 where something is; a warning is not."
}

// patience is how long one check may take.
const patience = 5 * time.Second

// An examination is what the checks know, each of those before.
type examination struct {
	*serveCommand
	from  string         // where the configuration came from
	roots *x509.CertPool // of the public URL's certificate; nil: the system's

	clocks  []clock // others than this machine's, compared
	looking inspection
}

// Run looks at one thing after the other, and prints what it found.
func (c *doctorCommand) Run(ctx context.Context, app *kong.Kong, env *remote.Env) error {
	data, err := filepath.Abs(c.folder()) // a folder that is meant from elsewhere is seen at once
	if err != nil {
		return err
	}
	c.Data = data
	e := &examination{serveCommand: &c.serveCommand, from: configuredFrom(app)}
	checks := e.examine(ctx, func(what string) (done func()) {
		if !env.Terminal.Watched() {
			return func() {}
		}
		late := time.AfterFunc(2*time.Second, func() {
			fmt.Fprintf(env.Terminal.Err, "gatehouse: looking at the %s, for %s at most\n", what, patience)
		})
		return func() { late.Stop() }
	})
	hide(checks, c.secrets())
	print := printChecks
	if c.JSON {
		print = printJSON
	}
	if err := print(env.Terminal.Out, env.Terminal.Width(), checks); err != nil {
		return err
	}
	if worst(checks) == wrong {
		return &remote.Failure{Err: errors.New(summary(checks)), Exit: 1}
	}
	return nil
}

// examine makes every check. It tells beginning what it begins to look at, and
// calls what that returns when it has.
func (e *examination) examine(ctx context.Context, beginning func(what string) (done func())) []*check {
	all := []struct {
		name, said string
		look       func(ctx context.Context, k *check)
	}{
		{"configuration", "configuration", e.configuration},
		{"keys", "keys and the database", e.keyFiles},
		{"database", "database", e.database},
		{"redis", "Redis server", e.redis},
		{"mail", "mail server", e.mail},
		{"resolver", "DNS resolver", e.resolver},
		{"public-url", "public URL", e.public},
		{"clock", "clock", e.clock},
	}
	var out []*check
	for _, one := range all {
		k := &check{Name: one.name, State: fine, Findings: []finding{}}
		bounded, cancel := context.WithTimeout(ctx, patience)
		done := beginning(one.said)
		one.look(bounded, k)
		done()
		cancel()
		out = append(out, k)
	}
	return out
}

// configuredFrom names where flags came from.
func configuredFrom(app *kong.Kong) string {
	for _, f := range app.Model.Flags {
		if f.Name == "config" && f.Target.IsValid() && f.Target.String() != "" {
			return "flags, the environment and " + f.Target.String()
		}
	}
	return "flags and the environment"
}
