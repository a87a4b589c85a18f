package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/mail/smtptest"
)

// at calls the API at one node.
func (c *cluster) at(n *node, token, method, path string, in any) (status int, text string, err error) {
	var body io.Reader
	if in != nil {
		js, err := json.Marshal(in)
		if err != nil {
			return 0, "", err
		}
		body = bytes.NewReader(js)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "aivenv1 "+token)
	r.Header.Set(nodeHeader, n.name)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(all), err
}

// mustAt is at for what has to work.
func (c *cluster) mustAt(n *node, token, method, path string, in, out any) {
	c.t.Helper()
	status, text, err := c.at(n, token, method, path, in)
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("%s %s at node %s: got %d %s, %v", method, path, n.name, status, text, err)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

// personal makes a personal token of the operator.
func (c *cluster) personal() (token, prefix string) {
	c.t.Helper()
	var made struct {
		Token  string `json:"full_token"`
		Prefix string `json:"token_prefix"`
	}
	c.mustAt(c.nodes[0], c.token, "POST", "/v1/access_token", map[string]any{"description": "a program"}, &made)
	return made.Token, made.Prefix
}

// asked is one request of a client that asks again and again.
type asked struct {
	begun, over time.Time
	status      int
}

// poll asks a node again and again, every ten milliseconds, until stop is
// closed.
func (c *cluster) poll(n *node, token, path string, stop <-chan struct{}) <-chan asked {
	out := make(chan asked, 10_000)
	go func() {
		defer close(out)
		for {
			one := asked{begun: time.Now()}
			status, _, err := c.at(n, token, "GET", path, nil)
			if one.status, one.over = status, time.Now(); err != nil {
				one.status = -1
			}
			out <- one
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return out
}

// refusedAfter makes a change at node one, and gives how long node two let a
// client in that it knew well, from the answer to the change on.
func (c *cluster) refusedAfter(token, path string, want int, change func()) time.Duration {
	c.t.Helper()
	stop := make(chan struct{})
	answers := c.poll(c.nodes[1], token, path, stop)
	for range 20 {
		if one := <-answers; one.status != http.StatusOK {
			close(stop)
			c.t.Fatalf("before: got %d for %s, want 200", one.status, path)
		}
	}
	change()
	changed := time.Now()
	time.Sleep(1500 * time.Millisecond) // watching: once refused, it is never let in again
	close(stop)
	took, refused := time.Duration(0), false
	for one := range answers {
		switch {
		case one.begun.Before(changed):
		case one.status == http.StatusOK && refused:
			c.t.Errorf("%s: let in again after it was refused", path)
		case one.status == http.StatusOK:
			took = one.begun.Sub(changed)
		case one.status == want:
			refused = true
		default:
			c.t.Errorf("%s: got %d, want 200 or %d", path, one.status, want)
		}
	}
	if !refused || took > 2*time.Second {
		c.t.Errorf("%s: got in for %s after the change (refused: %v), want two seconds at most", path, took, refused)
	}
	return took
}

// measures are changes that shut somebody out, each made at node one.
type measure struct {
	name string
	once func(c *cluster) time.Duration
}

func measures(c *cluster, mails *smtptest.Server) []measure {
	idp, method := c.connectDemo(c.account, nil)
	c.signUp(idp, method, "alice")
	one := c.nodes[0]
	people := 0
	return []measure{
		{"a token is revoked", func(c *cluster) time.Duration {
			token, prefix := c.personal()
			return c.refusedAfter(token, "/v1/me", http.StatusUnauthorized, func() {
				c.mustAt(one, c.token, "DELETE", "/v1/access_token/"+prefix, nil, nil)
			})
		}},
		{"the policy changes", func(c *cluster) time.Duration {
			token, _ := c.personal()
			config := "/v1/organization/" + c.org + "/config/authentication"
			took := c.refusedAfter(token, "/v1/organization/"+c.org, http.StatusForbidden, func() {
				c.mustAt(one, c.token, "PATCH", config, map[string]any{"personal_tokens": "disabled_for_managed_users"}, nil)
			})
			c.mustAt(one, c.token, "PATCH", config, map[string]any{"personal_tokens": "enabled"}, nil)
			return took
		}},
		{"the identity provider is disabled", func(c *cluster) time.Duration {
			p := newPerson(c.t)
			cookie := cookieOf(p.open(p.through(idp, method.Login, "alice").location), "gatehouse")
			if cookie == nil {
				c.t.Fatal("Alice could not log in")
			}
			path := "/v1/account/" + c.account + "/authentication/" + method.ID
			took := c.refusedAfter(cookie.Value, "/v1/me", http.StatusUnauthorized, func() {
				c.mustAt(one, c.token, "PUT", path, map[string]any{"authentication_method_enabled": false}, nil)
			})
			c.mustAt(one, c.token, "PUT", path, map[string]any{"authentication_method_enabled": true}, nil)
			return took
		}},
		{"a person is disowned and so deactivated", func(c *cluster) time.Duration {
			people++
			email := fmt.Sprintf("person%d@acme.test", people)
			token := c.broker.signUp(email)
			link := ""
			for n := 1; link == ""; n++ {
				if m, text := received(c.t, mails, n); m.To[0] == email {
					link = regexp.MustCompile(regexp.QuoteMeta(c.base) + `/verify/\S+`).FindString(text)
				}
			}
			return c.refusedAfter(token, "/v1/me", http.StatusUnauthorized, func() {
				if done := newPerson(c.t).via(one).post(link+"/refuse", c.base, nil); done.status >= http.StatusBadRequest {
					c.t.Fatalf("disowning: got %d:\n%s", done.status, done.text)
				}
			})
		}},
	}
}

func TestAChangeOnOneNodeHoldsOnTheOther(t *testing.T) {
	for _, setting := range []struct {
		name    string
		redis   bool
		stopped bool
	}{{"with Redis", true, false}, {"without Redis", false, false}, {"with Redis stopped in the middle", true, true}} {
		t.Run(setting.name, func(t *testing.T) {
			mails := smtptest.Start(t, smtptest.Options{})
			t.Setenv("GATEHOUSE_SMTP_URL", "smtp://"+mails.Addr)
			flags := []string{"--mail-from", "no-reply@acme.test"}
			var redis *server
			if setting.redis {
				redis = startRedis(t)
				flags = append(flags, "--redis-url", "redis://127.0.0.1:"+redis.port)
			}
			c := startCluster(t, newSchema(t), flags...)
			for i, m := range measures(c, mails) {
				var took []time.Duration
				for round := range 3 {
					// In the middle: of the nodes' life, and of the first measure.
					if setting.stopped && i == 0 && round == 1 {
						redis.signal(syscall.SIGSTOP)
						t.Cleanup(func() { redis.signal(syscall.SIGCONT) })
					}
					took = append(took, m.once(c).Round(time.Millisecond))
				}
				t.Logf("%s, %s: let in for %v, at most %s", setting.name, m.name, took, slices.Max(took))
			}
			for _, n := range c.nodes {
				if log := n.logged(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "status=500") {
					t.Errorf("node %s logged failures:\n%s", n.name, log)
				}
			}
		})
	}
}
