package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"gatehouse/account"
	"gatehouse/api"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
	"gatehouse/store/redis"
	"gatehouse/web"
)

// wired is everything, built.
type wired struct {
	base          string
	store         *store.Store
	node          string        // this server's name among the nodes
	redis         *redis.Server // nil: this node shares its limits with no other
	people        *account.People
	addresses     *account.Addresses
	sender        *mail.Sender // nil: no mail is sent
	organizations *account.Organizations
	domains       *domains.Domains
	policies      *policy.Policies
	sightings     *policy.Sightings
	cache         *gate.Cache
	uses          *session.Uses
	changes       chan struct{} // something changed that other nodes are to be told of; nil: there is no way to
	idps          *sso.IdPs
	endings       *sso.Endings
	back          *sso.Backchannel // tells identity providers of logouts
	traces        *login.Traces
	console       *web.Server
	handler       http.Handler
	ready         atomic.Bool
}

// wire builds everything. It fails where the server could not do its work:
// keys, database, addresses.
func wire(ctx context.Context, c *serveCommand, log *slog.Logger) (*wired, error) {
	public, err := publicURL(c.PublicURL, c.Listen)
	if err != nil {
		return nil, err
	}
	front, err := newFront(c, public.Scheme == "https", log)
	if err != nil {
		return nil, err
	}
	transport, err := c.transport(public, c.Dev)
	if err != nil {
		return nil, err
	}
	keys, err := c.keyring(log)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{Folder: c.Data, DatabaseURL: c.DatabaseURL, Keys: keys, Log: log})
	if err != nil {
		return nil, err
	}
	w := &wired{base: public.String(), store: db, node: ident.New("n")}
	limits, err := w.limiter(ctx, c, keys, log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	events := auditLog(db)
	w.sender = newSender(transport, public, db, keys, log)
	w.addresses = &account.Addresses{Store: db, Limits: limits, Base: w.base, Now: time.Now, Audit: events}
	passwords := account.NewPasswords()
	tokens := &session.Tokens{Store: db, Lifetime: c.SessionAge, Now: time.Now, Audit: events}
	cookies := &session.CookieStore{Secure: public.Scheme == "https"}
	provider := &sso.Provider{Keys: keys, Base: w.base, Guard: front.verifierGuard()}
	w.people = &account.People{Store: db, Passwords: passwords, NewID: ident.Source("u"), Now: time.Now, Audit: events, Addresses: w.addresses}
	w.organizations = &account.Organizations{Store: db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: time.Now, Audit: events}
	groups := &account.Groups{Store: db, NewID: ident.Source("ug"), Now: time.Now, Audit: events}
	members := &account.Members{Store: db, Now: time.Now, Audit: events}
	w.idps = &sso.IdPs{Store: db, Keys: keys, Base: w.base, NewID: ident.Source("am"), Now: time.Now, Audit: events, Allow: func(ctx context.Context, key string) error {
		return limits.Take(ctx, newIdPs, key)
	}}
	logins := &login.Login{
		Store: db, Provider: provider, Tokens: tokens, People: w.people, Passwords: passwords,
		Limits: limits, Checks: limit.NewSlots(runtime.GOMAXPROCS(0), 2*time.Second), Keys: keys, Base: w.base, Open: c.Signup == "open",
		NewUserID: ident.Source("u"), Now: time.Now, Log: log, Audit: events,
		Recovery: &login.Recovery{Store: db, Now: time.Now, Audit: events}, Addresses: w.addresses, Allowed: front.countAllowances(),
	}
	w.traces = &login.Traces{
		Store: db, Provider: provider, IdPs: w.idps, Keys: keys, Limits: limits, Audit: events,
		NewID: ident.UUID, NewWords: ident.RandomWords, Now: time.Now, KeepFor: c.TracesFor, KeepResponses: c.KeepResponses,
	}
	logins.Traces = w.traces
	w.domains = &domains.Domains{Store: db, NewID: ident.Source("dom"), Now: time.Now, Limits: limits, Audit: events, Base: w.base}
	c.proveBy(w.domains)
	front.countMissing(db)
	if err := w.followMetadata(c, db, limits, events); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	logins.Backchannel = w.back
	front.countCertificates(db)
	logins.Certificates = &sso.FirstUses{Store: db, Now: time.Now, Audit: events}
	w.idps.LinkDomains, w.addresses.Proved = w.domains.LinkAll, w.domains.Proved
	if w.sender != nil {
		w.addresses.Mail, logins.Mail, w.domains.Mail = w.sender, w.sender, w.sender
	}
	w.watch(tokens)
	door := &gate.Gate{Store: db, Limits: limits, Cache: w.cache, Uses: w.uses, Sightings: w.sightings, Now: time.Now}
	tokens.Rules = door
	w.policies = &policy.Policies{Store: db, Now: time.Now, Audit: events}
	w.idps.Keep, groups.Keep, members.Keep = w.policies.Keep, w.policies.KeepGroup, w.policies.KeepAdmins
	w.console = &web.Server{
		Gate: door, Login: logins, People: w.people, Addresses: w.addresses, DevMails: devMails(transport), Organizations: w.organizations, Groups: groups, Members: members, IdPs: w.idps,
		Domains: w.domains, Policies: w.policies, Sightings: w.sightings, Traces: w.traces, Provider: provider, Tokens: tokens, Audit: events, Cookies: cookies, Base: w.base,
		Address: clientAddress, Now: time.Now, Log: log,
	}
	json := &api.Server{
		Gate: door, Login: logins, People: w.people, Addresses: w.addresses, Organizations: w.organizations, Groups: groups, Members: members, IdPs: w.idps,
		Domains: w.domains, Policies: w.policies, Sightings: w.sightings, Traces: w.traces, Tokens: tokens, Audit: events, Cookies: cookies, Base: w.base,
		Address: clientAddress, Now: time.Now, Log: log, Version: version(),
	}
	w.handler = front.handler(w, json.Handler(), w.console.Handler())
	return w, nil
}

// newIdPs is how often a person, and an organization, may make an identity
// provider: each costs a key, and a row that stays.
var newIdPs = limit.Rule{Name: "new identity providers", Burst: 50, Every: time.Minute}

// auditLog is the log of who did what, of the server and of every command.
func auditLog(db *store.Store) *audit.Log {
	return &audit.Log{Store: db, Now: time.Now, NewID: ident.UUID}
}

// limiter counts attempts: with the other nodes where there is a Redis.
func (w *wired) limiter(ctx context.Context, c *serveCommand, keys *seal.Keyring, log *slog.Logger) (_ limit.Limiter, err error) {
	if c.RedisURL == "" {
		return &limit.Memory{Now: time.Now}, nil
	}
	w.redis, err = redis.Open(ctx, redis.Config{URL: c.RedisURL, Keys: keys, Log: log})
	return w.redis, err
}

// Close lets the database go, and Redis.
func (w *wired) Close() {
	w.leave()
	if w.redis != nil {
		w.redis.Close()
	}
	w.store.Close()
}
