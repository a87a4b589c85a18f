package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"gatehouse/account"
)

// logOutput is where logs go.
type logOutput struct{ io.Writer }

// Where everything is kept unless said; a demonstration never where something
// real may come to be.
const (
	defaultData = "gatehouse-data"
	demoData    = "gatehouse-demonstration"
)

type serveCommand struct {
	Listen    string `help:"Address to listen on." default:"127.0.0.1:8080" env:"GATEHOUSE_LISTEN"`
	PublicURL string `name:"public-url" help:"Address under which browsers and identity providers reach this server; http://LISTEN unless said." placeholder:"URL" env:"GATEHOUSE_PUBLIC_URL"`

	storageFlags

	RedisURL string `name:"redis-url" help:"Redis through which several nodes share limits." placeholder:"redis://…" env:"GATEHOUSE_REDIS_URL"`

	mailFlags

	domainFlags

	metadataFlags

	TrustedProxy   []string `name:"trusted-proxy" help:"Networks of proxies whose X-Forwarded-For is believed, or none. Needed with an https public URL." placeholder:"CIDR" env:"GATEHOUSE_TRUSTED_PROXY"`
	MetricsFrom    []string `name:"metrics-from" help:"Networks that may read /metrics; this machine unless said, and nobody with --trusted-proxy none." placeholder:"CIDR" env:"GATEHOUSE_METRICS_FROM"`
	MaxConnections int      `name:"max-connections" help:"How many connections may be open at once; more of them wait." default:"4096" env:"GATEHOUSE_MAX_CONNECTIONS"`

	Signup     string        `help:"Who may sign up with a password: ${enum}." enum:"open,invite" default:"open" env:"GATEHOUSE_SIGNUP"`
	SessionAge time.Duration `name:"session-age" help:"How long a login lasts, where its identity provider says nothing." default:"12h" env:"GATEHOUSE_SESSION_AGE"`
	TracesFor  time.Duration `name:"traces-for" help:"How long it is kept what became of attempts to log in." default:"336h" env:"GATEHOUSE_TRACES_FOR"`

	KeepResponses bool   `name:"keep-responses" help:"Keep, with it and sealed, what identity providers sent." default:"true" negatable:"" env:"GATEHOUSE_KEEP_RESPONSES"`
	LogFormat     string `name:"log-format" help:"Format of the log: ${enum}." enum:"text,json" default:"text" env:"GATEHOUSE_LOG_FORMAT"`

	BootstrapEmail    string `name:"bootstrap-email" help:"Address of the operator that is made in an empty database." env:"GATEHOUSE_BOOTSTRAP_EMAIL"`
	BootstrapPassword string `name:"bootstrap-password" help:"The operator's password; better in the environment than on a command line." env:"GATEHOUSE_BOOTSTRAP_PASSWORD"`

	Dev       bool   `help:"For trying things on this machine: adds a demonstration identity provider and the organization Acme, in the folder gatehouse-demonstration unless --data says another. Loopback addresses only." env:"GATEHOUSE_DEV"`
	DevListen string `name:"dev-listen" help:"Port of the demonstration identity provider." default:"127.0.0.1:8081" env:"GATEHOUSE_DEV_LISTEN"`
}

// Help is shown above the flags.
func (serveCommand) Help() string {
	return "The first start makes the database and the keys. Keep a copy of the keys, apart from the database: without them it cannot be used."
}

// Run serves until the context ends, then lets requests under way finish.
func (c *serveCommand) Run(ctx context.Context, stdout io.Writer, logs logOutput) error {
	log := slog.New(slog.NewTextHandler(logs, nil))
	if c.LogFormat == "json" {
		log = slog.New(slog.NewJSONHandler(logs, nil))
	}
	if problems := c.problems(); len(problems) > 0 {
		return problems[0]
	}
	c.Data = c.folder()
	w, err := wire(ctx, c, log)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := c.refuseDemonstration(ctx, w); err != nil {
		return err
	}
	if err := c.bootstrap(ctx, w, log); err != nil {
		return err
	}
	return c.serve(ctx, w, stdout, log)
}

// problems are what of the configuration alone keeps a server from starting,
// each with the flag to change.
func (c *serveCommand) problems() []error {
	checks := []func() error{
		c.checkSessionAge, c.checkTracesFor, c.checkMaxConnections, c.checkAddresses, c.checkDatabaseURL, c.checkBootstrap, c.checkResolver, c.checkLabel, c.checkMetadataNetworks,
		func() error { _, err := c.proxies(); return err },
		func() error { _, err := prefixes("--metrics-from", c.MetricsFrom); return err },
	}
	var out []error
	for _, check := range checks {
		if err := check(); err != nil {
			out = append(out, err)
		}
	}
	return out
}

func (c *serveCommand) checkTracesFor() error {
	if c.TracesFor < time.Hour || c.TracesFor > 366*24*time.Hour {
		return fmt.Errorf("--traces-for %s is not between 1h and 8784h", c.TracesFor)
	}
	return nil
}

func (c *serveCommand) checkSessionAge() error {
	if c.SessionAge < time.Minute || c.SessionAge > 30*24*time.Hour {
		return fmt.Errorf("--session-age %s is not between 1m and 720h", c.SessionAge)
	}
	return nil
}

func (c *serveCommand) checkBootstrap() error {
	if (c.BootstrapEmail == "") != (c.BootstrapPassword == "") {
		return errors.New("GATEHOUSE_BOOTSTRAP_EMAIL and GATEHOUSE_BOOTSTRAP_PASSWORD go together: set both, or none")
	}
	return nil
}

// folder is the data folder.
func (c *serveCommand) folder() string {
	if c.Data == "" && c.Dev {
		return demoData
	}
	return cmp.Or(c.Data, defaultData)
}

func (c *serveCommand) serve(ctx context.Context, w *wired, stdout io.Writer, log *slog.Logger) error {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", c.Listen, errors.Unwrap(err))
	}
	servers := []*http.Server{{Handler: w.handler}}
	listeners := []net.Listener{listener}
	if c.Dev {
		d, err := startDev(ctx, c, w)
		if err != nil {
			listener.Close()
			return err
		}
		servers, listeners = append(servers, &http.Server{Handler: d.handler}), append(listeners, d.listener)
		d.greet(stdout)
	}
	failed := make(chan error, len(servers))
	for i, s := range servers {
		l := c.limits().bound(s, listeners[i], log)
		go func() { failed <- s.Serve(l) }()
	}
	log.Info("serving", "listen", listener.Addr().String(), "public_url", w.base, "version", version())
	w.ready.Store(true)
	go w.beat(ctx, log)
	stopFollowing := w.follow(ctx, log)
	stopMail := w.sendMail(ctx)
	stopTasks := w.runTasks(ctx, log)

	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping: letting requests under way finish")
		err = nil
	}
	w.ready.Store(false)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(stop))
	}
	stopTasks()
	stopMail()
	stopFollowing()
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// bootstrap makes the operator of an empty database.
func (c *serveCommand) bootstrap(ctx context.Context, w *wired, log *slog.Logger) error {
	if c.BootstrapEmail == "" && c.BootstrapPassword == "" {
		return nil
	}
	made, err := w.people.AddOperator(ctx, account.NewUser{Email: c.BootstrapEmail, RealName: "Operator", Password: c.BootstrapPassword})
	if err != nil {
		return fmt.Errorf("cannot make the operator: %w", err)
	}
	if made {
		log.Info("made the operator", "email", c.BootstrapEmail)
	}
	return nil
}
