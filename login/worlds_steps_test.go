package login_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// throughProvider has an identity provider assert anything.
func (w *random) throughProvider() bool {
	ctx := context.Background()
	method, name, email := pick(w, w.methods), pick(w, []string{"x", "y"}), pick(w, w.emails)
	if domain := w.names[slices.IndexFunc(w.orgs, func(o account.Organization) bool { return o.ID == w.owner[method] })]; w.chance(60) {
		email = pick(w, w.emails[:4])
		if w.chance(70) {
			email = strings.Split(email, "@")[0] + "@" + domain
		}
	}
	signup, yes := w.chance(30), w.chance(60)
	w.tell("%s asserts %s with %s; signup %v, yes %v", method, name, email, signup, yes)
	b := browser()
	f := login.Flow{
		ID: ident.Secret(32), Browser: sso.BrowserHash(b.Secret), Method: session.Method{Kind: session.SAML, ID: method}, Purpose: sso.ToLogin,
		Claim: login.Claim{SubjectKind: "nameid:persistent", Subject: name, Email: strings.ToUpper(email)}, AnsweredAt: w.now(), ExpiresAt: w.now().Add(time.Minute),
	}
	if signup {
		f.Purpose = sso.ToSignup
	}
	w.do(w.db.AddFlow(ctx, f))
	step, err := w.Finish(ctx, login.Finish{FlowID: f.ID, Browser: b, Client: client})
	if err == nil && step.Ask != nil && yes {
		step, err = w.Finish(ctx, login.Finish{FlowID: f.ID, Browser: b, Client: client, Yes: step.Ask.Key()})
	}
	want := w.assert(method, name, email, signup, yes)
	w.count(want.why)
	switch {
	case want.refused:
		if err == nil {
			w.fail("got %+v, want it refused", step)
		}
	case want.asked:
		if err != nil || step.Ask == nil || step.Ask.Kind != login.AskClaim {
			w.fail("got %+v, %v; want the person asked", step, err)
		}
	case err != nil || step.Done == nil:
		w.fail("got %+v, %v; want a login as %s", step, err, want.who.email)
	case want.made:
		want.who.id = step.Done.User.ID
		want.who.tokens[step.Done.Text] = method
		return true
	case step.Done.User.ID != want.who.id:
		w.fail("got a login as %s, want %s", step.Done.User.ID, want.who.id)
	default:
		want.who.tokens[step.Done.Text] = method
		return true
	}
	return false
}

func (w *random) count(rule string) {
	w.universe.mu.Lock()
	defer w.universe.mu.Unlock()
	w.rules[rule]++
}

// makeAccount has somebody sign up with a password, whoever's the address is.
func (w *random) makeAccount() {
	email := pick(w, w.emails)
	w.tell("somebody signs up as %s", email)
	u := account.User{ID: ident.New("u"), Email: email, RealName: "Somebody", State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	a := &principal{id: u.ID, email: email, password: true, subjects: map[subject]bool{}, tokens: map[string]string{}, member: map[string]bool{}}
	if w.chance(8) {
		u.Operator, u.AddressProved = true, true
		a.operator, a.proved = true, true
	}
	err := w.db.AddUser(context.Background(), u, "hash")
	if taken := w.byEmail(email) != nil; taken != (err != nil) {
		w.fail("got %v, want it taken: %v", err, taken)
	}
	if err == nil {
		w.accounts = append(w.accounts, a)
	}
}

// someone is an account, or nil where there is none.
func (w *random) someone() *principal {
	if len(w.accounts) == 0 {
		return nil
	}
	return pick(w, w.accounts)
}

// byPassword has the password of an account typed by whoever knows it.
func (w *random) byPassword() bool {
	a := w.someone()
	if a == nil {
		return false
	}
	ctx := context.Background()
	w.tell("%s logs in with the password that the account once had", a.email)
	b := browser()
	f := login.Flow{ID: ident.Secret(32), Browser: sso.BrowserHash(b.Secret), Method: session.Method{Kind: session.Password}, Purpose: sso.ToLogin,
		UserID: a.id, AnsweredAt: w.now(), ExpiresAt: w.now().Add(time.Minute)}
	w.do(w.db.AddFlow(ctx, f))
	step, err := w.Finish(ctx, login.Finish{FlowID: f.ID, Browser: b, Client: client})
	if may := a.password && !a.gone; may != (err == nil) {
		w.fail("got %v, want it to count: %v", err, may)
		return false
	}
	if err != nil {
		return false
	}
	a.tokens[step.Done.Text] = ""
	return true
}

// claimDomain has an organization add and prove a domain.
func (w *random) claimDomain(organization, domain int, verify bool) {
	o, name := w.orgs[organization], w.names[domain]
	w.tell("%s claims %s", o.ID, name)
	ctx, key := context.Background(), [2]string{o.ID, name}
	if w.claims[key] == "" {
		d, err := w.domains.Add(ctx, w.admin, o, name, "")
		w.do(err)
		w.dns.publish(w.domains.Record(d), d.Value())
		w.claims[key] = "unverified"
	}
	if !verify {
		return
	}
	_, err := w.domains.Verify(ctx, w.admin, o, name)
	if holder := w.holder(name); holder != "" && holder != o.ID {
		if err == nil || fault.Of(err).Code != "organization_domain_already_linked" {
			w.fail("got %v, want the name to be %s's", err, holder)
		}
		return
	}
	w.do(err)
	was := w.claims[key]
	w.claims[key] = "verified"
	if was != "verified" {
		w.adopt(o.ID, name)
	}
}

// linkDomain links or unlinks a domain of an organization and any method.
func (w *random) linkDomain(organization, domain, number int, link bool) {
	o, name, method := w.orgs[organization], w.names[domain], w.methods[number]
	do := w.domains.Link
	if !link {
		do = w.domains.Unlink
	}
	w.tell("%s links (%v) %s to %s", o.ID, link, name, method)
	err := do(context.Background(), w.admin, o, method, name)
	may := w.claims[[2]string{o.ID, name}] != "" && w.owner[method] == o.ID
	if may != (err == nil) {
		w.fail("got %v, want it done: %v", err, may)
	}
	// Links are of claims: the model keeps them by name and method, whose
	// organization tells the claim.
	if may {
		w.linked[[2]string{name, method}] = link
	}
}

// lose ends a claim: its record is gone, or it is removed.
func (w *random) lose() {
	i, j := w.r.IntN(len(w.orgs)), w.r.IntN(len(w.names))
	o, name := w.orgs[i], w.names[j]
	if w.chance(70) { // somebody waits for it
		defer func() {
			w.claimDomain(1-i, j, true)
			w.linkDomain(1-i, j, 2*(1-i), true)
		}()
	}
	key := [2]string{o.ID, name}
	if w.claims[key] == "" {
		return
	}
	ctx := context.Background()
	for method, owner := range w.owner {
		if owner == o.ID {
			delete(w.linked, [2]string{name, method})
		}
	}
	if w.chance(50) {
		w.tell("%s removes %s", o.ID, name)
		w.do(w.domains.Remove(ctx, w.admin, o, name))
		delete(w.claims, key)
		return
	}
	w.tell("%s loses %s", o.ID, name)
	d, err := w.db.Domain(ctx, o.ID, name)
	w.do(err)
	d.State = domains.Lost
	w.do(w.db.UpdateDomain(ctx, d))
	w.claims[key] = "lost"
}

// prove has the owner of a mailbox prove the address of an account.
func (w *random) prove() {
	a := w.someone()
	if a == nil || a.proved || a.gone {
		return
	}
	w.tell("%s is proved", a.email)
	ctx := context.Background()
	w.do(w.db.ProveAddress(ctx, a.id, a.email, w.now()))
	u, err := w.db.User(ctx, a.id)
	w.do(err)
	w.do(w.db.Tx(ctx, func(ctx context.Context) error { return w.domains.Proved(ctx, u) }))
	a.proved = true
	_, domain, _ := strings.Cut(a.email, "@")
	if holder := w.holder(domain); holder != "" {
		w.adopt(holder, domain)
	}
}

func (w *random) join() {
	a, o, admin := w.someone(), pick(w, w.orgs), w.chance(40)
	if a == nil || a.gone {
		return
	}
	if _, is := a.member[o.ID]; is {
		return
	}
	w.tell("%s joins %s, administers %v", a.email, o.ID, admin)
	w.do(w.db.AddMember(context.Background(), account.Member{OrganizationID: o.ID, UserID: a.id, SuperAdmin: admin, JoinedAt: w.now()}))
	a.member[o.ID] = admin
}

func (w *random) toggle() {
	method := pick(w, w.methods)
	ctx := context.Background()
	i, err := w.db.IdP(ctx, method)
	w.do(err)
	i.Enabled = !i.Enabled
	w.tell("%s is enabled: %v", method, i.Enabled)
	w.do(w.db.UpdateIdP(ctx, i))
	w.enabled[method] = i.Enabled
}

func (w *random) cut() {
	a, method := w.someone(), pick(w, w.methods)
	if a == nil {
		return
	}
	has := false
	for s := range a.subjects {
		has = has || s.method == method
	}
	w.tell("%s cuts %s", a.email, method)
	_, err := w.db.CutIdentities(context.Background(), a.id, method)
	if has != (err == nil) {
		w.fail("got %v, want it cut: %v", err, has)
	}
	for s := range a.subjects {
		if s.method == method {
			delete(a.subjects, s)
		}
	}
	if has {
		w.end(a, func(m string) bool { return m == method })
	}
}

func (w *random) disown() {
	a := w.someone()
	if a == nil || a.proved || a.gone {
		return
	}
	w.tell("the mailbox of %s disowns the account", a.email)
	gone := a.id + "@disowned.invalid"
	w.do(w.db.Disown(context.Background(), a.id, a.email, gone, w.now()))
	w.strip(a, "")
	a.gone, a.email = true, gone
}

func (w *random) release() {
	a := w.someone()
	if a == nil || a.managed == "" {
		return
	}
	w.tell("%s is released", a.email)
	w.do(w.db.Release(context.Background(), a.managed, a.id, w.now()))
	a.managed = ""
}
