package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/parts"
)

func TestTwoNodesServeOneLogin(t *testing.T) {
	c := startCluster(t, newSchema(t), "--redis-url", parts.Need(t, parts.Redis))
	idp, method := c.connectDemo(c.account, nil)
	c.signUp(idp, method, "alice", "bob")

	t.Run("a login goes on at whichever node", func(t *testing.T) {
		for bits := range 8 {
			at := func(step int) *node { return c.nodes[bits>>step&1] }
			p := newPerson(t).via(at(0))
			begun := p.open(method.Login)
			alice, _ := idp.User("alice")
			acs, form, err := idp.Answer(begun.location, alice)
			if err != nil {
				t.Fatal(err)
			}
			answered := p.via(at(1)).post(acs, "https://idp.acme.test", form)
			finished := p.via(at(2)).open(answered.location)
			if answered.status != http.StatusSeeOther || finished.status != http.StatusSeeOther || finished.location != c.base+"/" {
				t.Errorf("by way of %s, %s and %s: got %d, then %d %s, want a session:\n%s",
					at(0).name, at(1).name, at(2).name, answered.status, finished.status, finished.location, finished.text)
			}
			for _, n := range c.nodes {
				wantMe(t, p.via(n), c.base, "alice@acme.test")
			}
			// Logging out at one node is logging out at the other, a moment
			// later.
			before := cookieOf(finished, "gatehouse")
			p.via(at(1)).post(c.base+"/logout", c.base, nil)
			c.wantOver(before.Value)
		}
	})

	t.Run("one answer posted to both at once is good for one session", func(t *testing.T) {
		for range 30 {
			p := newPerson(t)
			bob, _ := idp.User("bob")
			acs, form, err := idp.Answer(p.open(method.Login).location, bob)
			if err != nil {
				t.Fatal(err)
			}
			var got [2]page
			c.atBoth(p, func(p *person, i int) { got[i] = p.post(acs, "https://idp.acme.test", form) })
			won := winner(t, got, func(g page) bool { return g.status == http.StatusSeeOther })
			wantCode(t, got[1-won], http.StatusForbidden, "request_used")

			flow := got[won].location
			c.atBoth(p, func(p *person, i int) { got[i] = p.open(flow) })
			won = winner(t, got, func(g page) bool { return cookieOf(g, "gatehouse") != nil })
			wantCode(t, got[1-won], http.StatusNotFound, "login_expired")
		}
	})

	t.Run("addresses come from the proxy, and nothing else is believed", func(t *testing.T) {
		elsewhere := newPerson(t)
		elsewhere.client.Transport = toNode{"one", from(t, "127.0.0.77")}
		elsewhere.open(c.base + "/login")
		liar, err := http.NewRequest("GET", c.base+"/login", nil)
		if err != nil {
			t.Fatal(err)
		}
		liar.Header.Set("X-Forwarded-For", "198.51.100.1")
		other := newPerson(t)
		other.client.Transport = toNode{"one", from(t, "127.0.0.79")}
		other.do(liar)
		log := c.nodes[0].logged()
		if !strings.Contains(log, "address=127.0.0.77") || !strings.Contains(log, "address=127.0.0.79") || strings.Contains(log, "198.51.100.1") {
			t.Errorf("got other addresses in the log than those of the clients:\n%s", log)
		}
	})

	t.Run("wrong passwords count on both together", func(t *testing.T) {
		guesser := newPerson(t)
		limited := 0
		for i := range 30 {
			guesser.client.Transport = toNode{c.nodes[i%2].name, from(t, "127.0.0.78")}
			got := guesser.post(c.base+"/login/password", c.base, url.Values{"email": {operatorMail}, "password": {fmt.Sprint("wrong ", i)}})
			if got.status != http.StatusTooManyRequests {
				continue
			}
			limited++
			if got.header.Get("Retry-After") == "" {
				t.Error("got no Retry-After")
			}
		}
		// Each node by itself would let ten through.
		if limited < 18 {
			t.Errorf("got %d of 30 limited, want all but about ten", limited)
		}
	})
	c.wantNoFailures()
}

// atBoth has a person do the same at both nodes at once.
func (c *cluster) atBoth(p *person, do func(p *person, i int)) {
	var group sync.WaitGroup
	for i, n := range c.nodes {
		client := *p.client
		same := (&person{t: p.t, client: &client}).via(n)
		group.Go(func() { do(same, i) })
	}
	group.Wait()
}

// winner gives which of two has won; exactly one must have.
func winner(t *testing.T, got [2]page, won func(page) bool) int {
	t.Helper()
	first, second := won(got[0]), won(got[1])
	if first == second {
		t.Fatalf("got %d %q and %d %q, want exactly one to win", got[0].status, got[0].location, got[1].status, got[1].location)
	}
	if first {
		return 0
	}
	return 1
}

// wantMe fails unless a person is logged in as who they should be.
func wantMe(t testing.TB, p *person, base, email string) {
	t.Helper()
	if me := p.open(base + "/v1/me"); me.status != http.StatusOK || !strings.Contains(me.text, `"user":"`+email+`"`) {
		t.Errorf("got %d %s, want to be %s", me.status, me.text, email)
	}
}

// wantOver fails unless a token counts at no node any more, within two seconds.
func (c *cluster) wantOver(token string) {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, _ := c.callAs(token, "GET", "/v1/me", nil)
		if status == http.StatusUnauthorized {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("two seconds after logging out: got %d, want 401", status)
		}
	}
}
