package login_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// GATEHOUSE_TEST_WORLDS is how many worlds are tried, and GATEHOUSE_TEST_SEED
// which; `make soak` tries a hundred thousand.
const (
	usualWorlds = 1000
	stepsOfOne  = 25
)

// everything is published: whoever claims a domain proves it.
type everything struct {
	mu     sync.Mutex
	values map[string][]string
}

func (e *everything) TXT(_ context.Context, name string) domains.Look {
	e.mu.Lock()
	defer e.mu.Unlock()
	return domains.Look{Values: e.values[name]}
}

func (e *everything) publish(name, value string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.values[name] = append(e.values[name], value)
}

// A universe is what worlds share: a database and a broker.
type universe struct {
	*world
	domains *domains.Domains
	dns     *everything
	number  atomic.Int64

	mu    sync.Mutex
	rules map[string]int // how often each decided
}

// rules are those that decide what becomes of an assertion. A test that never
// comes to one of them shows nothing of it.
var rules = []string{
	"disabled", "not its own", "provisioned", "signed up", "managed elsewhere", "own login", "asked", "taken",
	"claimed", "claimed, said yes", "known", "managed from now on", "managed, and stripped if need be", "followed",
}

// A random is one world under way.
type random struct {
	*universe
	*model
	t       *testing.T
	r       *rand.Rand
	orgs    []account.Organization
	methods []string
	names   []string // domains
	emails  []string
	story   []string // what was done, for whoever has to read it
}

// TestNoWorldGivesAnAccountAway plays random worlds of organizations, domains,
// identity providers and people, and asks after each step whether everybody is
// who the rules say, with the credentials that the rules leave them.
func TestNoWorldGivesAnAccountAway(t *testing.T) {
	worlds, seed := usualWorlds, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_TEST_WORLDS")); err == nil {
		worlds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("GATEHOUSE_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	u := &universe{world: newWorld(t), dns: &everything{values: map[string][]string{}}, rules: map[string]int{}}
	u.Limits = noLimits{}
	u.domains = &domains.Domains{Store: u.db, DNS: u.dns, Label: "_c", NewID: ident.Source("dom"), Now: u.now, Limits: noLimits{},
		Audit: &audit.Log{Store: u.db, Now: u.now, NewID: ident.UUID}}
	steps, logins, played := atomic.Int64{}, atomic.Int64{}, 0
	run := func(more int) {
		todo := make(chan uint64)
		var playing sync.WaitGroup
		for range 8 {
			playing.Go(func() {
				for n := range todo {
					s, l := u.play(t, seed, n)
					steps.Add(int64(s))
					logins.Add(int64(l))
				}
			})
		}
		for range more {
			todo <- uint64(played)
			if played++; t.Failed() {
				break
			}
		}
		close(todo)
		playing.Wait()
	}
	run(worlds)
	// Some rules decide seldom.
	for worlds >= usualWorlds && len(u.unmet()) > 0 && played < 10*worlds && !t.Failed() {
		run(usualWorlds)
	}
	t.Logf("%d worlds, %d steps, %d logins; GATEHOUSE_TEST_SEED=%d; %v", played, steps.Load(), logins.Load(), seed, u.rules)
	if missing := u.unmet(); worlds >= usualWorlds && len(missing) > 0 && !t.Failed() {
		t.Errorf("no world came to the rules %q", missing)
	}
}

// unmet gives the rules that no world came to.
func (u *universe) unmet() []string {
	return slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return u.rules[rule] > 0 })
}

// play plays one world, and gives the number of steps and of logins that ended
// in a session.
func (u *universe) play(t *testing.T, seed, n uint64) (steps, logins int) {
	w := &random{universe: u, t: t, r: rand.New(rand.NewPCG(seed, n)), model: &model{
		owner: map[string]string{}, enabled: map[string]bool{}, claims: map[[2]string]string{}, linked: map[[2]string]bool{},
	}}
	w.found()
	for range stepsOfOne {
		if t.Failed() {
			return steps, logins
		}
		steps++
		if w.step() {
			logins++
		}
		w.compare()
	}
	return steps, logins
}

// found makes organizations, their methods, and names.
func (w *random) found() {
	world := w.number.Add(1)
	ctx := context.Background()
	for i := range 2 {
		name := fmt.Sprintf("w%d-%d", world, i)
		o := account.Organization{ID: "org-" + name, AccountID: "a-" + name, Name: name, Tier: "business", CreatedAt: w.now(), UpdatedAt: w.now()}
		w.do(w.db.AddOrganization(ctx, o, account.Account{ID: o.AccountID, OrganizationID: o.ID, Name: name, CreatedAt: w.now(), UpdatedAt: w.now()}))
		w.orgs = append(w.orgs, o)
		for j := range 2 - i {
			m := &sso.IdP{ID: fmt.Sprintf("am-%s-%d", name, j), OrganizationID: o.ID, AccountID: o.AccountID, Name: name, Enabled: true, State: sso.Active,
				CreatedAt: w.now(), UpdatedAt: w.now(), SPCertificate: []byte{1}, SPKey: []byte{1}}
			w.do(w.db.AddIdP(ctx, m))
			w.methods = append(w.methods, m.ID)
			w.owner[m.ID], w.enabled[m.ID] = o.ID, true
		}
		domain := name + ".example"
		w.names = append(w.names, domain)
		w.emails = append(w.emails, "a@"+domain, "b@"+domain)
	}
	w.emails = append(w.emails, fmt.Sprintf("a@w%d.free.example", world))
	for i := range w.orgs {
		if w.chance(50) {
			w.claimDomain(i, i, true)
			w.linkDomain(i, i, 2*i, true)
		}
	}
}

// mostly gives the number of what belongs to organization i, mostly: worlds in
// which nothing fits show little.
func (w *random) mostly(i, of int) int {
	if i < of && w.chance(75) {
		return i
	}
	return w.r.IntN(of)
}

func (w *random) do(err error) {
	w.t.Helper()
	if err != nil {
		w.fail("%v", err)
	}
}

func (w *random) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%s\nthe world:\n%s", fmt.Sprintf(format, args...), strings.Join(w.story, "\n"))
}

func (w *random) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

func pick[T any](w *random, list []T) T { return list[w.r.IntN(len(list))] }

func (w *random) chance(percent int) bool { return w.r.IntN(100) < percent }

// step does something, and says whether somebody logged in.
func (w *random) step() bool {
	switch n := w.r.IntN(100); {
	case n < 35:
		return w.throughProvider()
	case n < 45:
		w.makeAccount()
	case n < 53:
		return w.byPassword()
	case n < 62:
		i := w.r.IntN(len(w.orgs))
		w.claimDomain(i, w.mostly(i, len(w.names)), w.chance(85))
	case n < 72:
		i := w.r.IntN(len(w.orgs))
		w.linkDomain(i, w.mostly(i, len(w.names)), w.mostly(2*i, len(w.methods)), w.chance(80))
	default:
		w.other(n)
	}
	return false
}

func (w *random) other(n int) {
	switch {
	case n < 77:
		w.prove()
	case n < 83:
		w.join()
	case n < 87:
		w.toggle()
	case n < 93:
		w.lose()
	case n < 96:
		w.cut()
	case n < 98:
		w.disown()
	default:
		w.release()
	}
}

// compare holds every account, and every credential that ever was, to the
// model.
func (w *random) compare() {
	ctx := context.Background()
	for _, a := range w.accounts {
		u, err := w.db.User(ctx, a.id)
		w.do(err)
		got := fmt.Sprintf("%s proved %v managed %q gone %v", u.Email, u.AddressProved, u.ManagingOrganizationID, u.State != account.ActiveUser)
		want := fmt.Sprintf("%s proved %v managed %q gone %v", a.email, a.proved, a.managed, a.gone)
		password, err := w.db.HasPassword(ctx, a.id)
		w.do(err)
		got += fmt.Sprintf(" password %v", password)
		want += fmt.Sprintf(" password %v", a.password)
		links, err := w.db.Links(ctx, a.id)
		w.do(err)
		var have, should []string
		for _, l := range links {
			have = append(have, l.MethodID+" "+l.Subject)
		}
		for s := range a.subjects {
			should = append(should, s.method+" "+s.name)
		}
		places, err := w.db.Memberships(ctx, a.id)
		w.do(err)
		for _, p := range places {
			have = append(have, fmt.Sprint(p.ID, p.SuperAdmin))
		}
		for o, admin := range a.member {
			should = append(should, fmt.Sprint(o, admin))
		}
		slices.Sort(have)
		slices.Sort(should)
		if got != want || !slices.Equal(have, should) {
			w.fail("got %s, with %v\nwant %s, with %v", got, have, want, should)
		}
		for token := range a.tokens {
			if b, err := w.db.Bearer(ctx, hashOf(token)); err != nil || b.User.ID != a.id {
				w.fail("got %v of a token of %s, want it to be theirs", err, a.email)
			}
		}
	}
	for _, token := range w.dead {
		if b, err := w.db.Bearer(ctx, hashOf(token)); err == nil {
			w.fail("a token that ended is worth something again, as %s", b.User.Email)
		}
	}
}

func hashOf(token string) [32]byte {
	hash, _ := session.Hash(token)
	return hash
}

// noLimits admits everything.
type noLimits struct{}

func (noLimits) Take(context.Context, limit.Rule, string) error   { return nil }
func (noLimits) Check(context.Context, limit.Rule, string) error  { return nil }
func (noLimits) Return(context.Context, limit.Rule, string) error { return nil }
func (noLimits) Forget(context.Context, limit.Rule, string) error { return nil }
