package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"gatehouse/internal/mail/smtptest"
)

// A nameServer is a resolver of one process: it has the TXT records given, and
// says of all else that there is none.
type nameServer struct {
	addr    string
	mu      sync.Mutex
	records map[string]string
}

func startNameServer(t *testing.T) *nameServer {
	t.Helper()
	n, stop, err := newNameServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return n
}

// newNameServer starts one, which stop ends.
func newNameServer() (n *nameServer, stop func(), err error) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	n = &nameServer{addr: packets.LocalAddr().String(), records: map[string]string{}}
	up, down := make(chan struct{}), make(chan struct{})
	s := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(n.answer), NotifyStartedFunc: func() { close(up) }}
	go func() {
		defer close(down)
		_ = s.ActivateAndServe() // ends with Shutdown, below
	}()
	<-up
	return n, func() {
		_ = s.Shutdown()
		<-down
	}, nil
}

func (n *nameServer) answer(w dns.ResponseWriter, q *dns.Msg) {
	n.mu.Lock()
	value, there := n.records[dns.CanonicalName(q.Question[0].Name)]
	n.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable, m.Rcode = true, dns.RcodeNameError
	if there && q.Question[0].Qtype == dns.TypeTXT {
		m.Rcode = dns.RcodeSuccess
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: []string{value}}}
	}
	_ = w.WriteMsg(m) // who asked has gone
}

// publish makes a name say something; empty: nothing.
func (n *nameServer) publish(name, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.records, name+".")
	if value != "" {
		n.records[name+"."] = value
	}
}

// A running server is one whose clock for domains tests move.
type running struct {
	*wired
	t   *testing.T
	url string
	now time.Time
}

func startServer(t *testing.T, c *serveCommand) *running {
	t.Helper()
	c.Listen, c.PublicURL, c.Data = "127.0.0.1:0", "http://127.0.0.1:8080", t.TempDir()
	c.Signup, c.SessionAge, c.TracesFor = "open", 12*time.Hour, 336*time.Hour
	c.MaxConnections = 4096
	if problems := c.problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	w, err := wire(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	s := httptest.NewServer(w.handler)
	t.Cleanup(s.Close)
	t.Cleanup(w.sendMail(t.Context()))
	r := &running{wired: w, t: t, url: s.URL, now: time.Now()}
	w.domains.Now = func() time.Time { return r.now }
	return r
}

// call asks the API, and gives the status and what it answered.
func (r *running) call(token, method, path, body string) (int, map[string]any) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out map[string]any
	if len(bytes.TrimSpace(text)) > 0 && json.Unmarshal(text, &out) != nil {
		r.t.Fatalf("%s %s: got %d %s, want JSON", method, path, a.StatusCode, text)
	}
	return a.StatusCode, out
}

// must wants the call to work.
func (r *running) must(token, method, path, body string) map[string]any {
	r.t.Helper()
	status, out := r.call(token, method, path, body)
	if status/100 != 2 {
		r.t.Fatalf("%s %s: got %d %v, want that it works", method, path, status, out)
	}
	return out
}

// organization signs somebody with a proved address up, who makes one.
func (r *running) organization(email string) (token, path string) {
	r.t.Helper()
	made := r.must("", "POST", "/v1/user", `{"email":"`+email+`","real_name":"Somebody","password":"correct horse"}`)
	id := made["user"].(map[string]any)["user_id"].(string)
	if err := r.store.ProveAddress(r.t.Context(), id, email, time.Now()); err != nil {
		r.t.Fatal(err)
	}
	token = made["token"].(string)
	o := r.must(token, "POST", "/v1/organizations", `{"organization_name":"Org of `+strings.Split(email, "@")[0]+`","tier":"business"}`)
	return token, "/v1/organization/" + o["organization_id"].(string) + "/domains"
}

func TestADomainWhoseRecordStaysAwayGoesToWhoHasIt(t *testing.T) {
	names, letters := startNameServer(t), smtptest.Start(t, smtptest.Options{})
	r := startServer(t, &serveCommand{
		domainFlags: domainFlags{DNSResolver: names.addr, ChallengeLabel: "_challenge"},
		mailFlags:   mailFlags{SMTPURL: "smtp://" + letters.Addr},
	})
	ann, acme := r.organization("ann@acme.test")
	bob, bolt := r.organization("bob@bolt.test")
	mine := r.must(ann, "POST", acme, `{"domain_name":"company.test"}`)
	theirs := r.must(bob, "POST", bolt, `{"domain_name":"company.test"}`)
	verify := func(token, organization string) (int, map[string]any) {
		t.Helper()
		return r.call(token, "POST", organization+"/company.test/verify", "")
	}
	if status, out := verify(ann, acme); status != http.StatusConflict {
		t.Fatalf("without a record: got %d %v, want a conflict", status, out)
	}
	if mine["txt_record_name"] != "_challenge.company.test" {
		t.Fatalf("got the record's name %v, want it below --domain-challenge-label", mine["txt_record_name"])
	}
	names.publish("_challenge.company.test", mine["txt_record_value"].(string))
	if status, out := verify(ann, acme); status != http.StatusOK || out["state"] != "verified" {
		t.Fatalf("got %d %v, want it verified", status, out)
	}

	// Somebody else has the domain from now on.
	names.publish("_challenge.company.test", theirs["txt_record_value"].(string))
	for n := range 8 {
		r.now = r.now.Add(25 * time.Hour)
		if err := r.domains.Recheck(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := r.must(ann, "GET", acme+"/company.test", "")
		want := "verified"
		if n == 7 {
			want = "lost"
		}
		if got["state"] != want {
			t.Fatalf("after %d looks: got %v, want it %s", n+1, got, want)
		}
		status, _ := verify(bob, bolt)
		if (status == http.StatusOK) != (want == "lost") {
			t.Fatalf("after %d looks: got %d for who has it now, want that they get it once it is lost", n+1, status)
		}
		if n == 0 && r.metric("gatehouse_domains_missing_record") != "1" {
			t.Errorf("got the metric %q, want 1", r.metric("gatehouse_domains_missing_record"))
		}
	}
	for _, m := range mailsTo(t, letters, "ann@acme.test", 8) {
		subject := m.Header.Get("Subject")
		if !strings.Contains(subject, "missing") && !strings.Contains(subject, "lost") {
			t.Errorf("got a mail %q, want one of the domain", subject)
		}
	}
}

// mailsTo waits for the mails to somebody.
func mailsTo(t *testing.T, s *smtptest.Server, address string, want int) (out []smtptest.Mail) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		out = nil
		for _, m := range s.Mails() {
			if strings.Contains(fmt.Sprint(m.To), address) && strings.Contains(m.Header.Get("Subject"), "domain") {
				out = append(out, m)
			}
		}
		if len(out) >= want {
			break
		}
	}
	if len(out) != want {
		t.Errorf("got %d mails to %s, want %d", len(out), address, want)
	}
	return out
}

// metric gives the value of a metric.
func (r *running) metric(name string) string {
	r.t.Helper()
	a, err := http.Get(r.url + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestDomainsAreProvedByPagesWhereTheServerSaysSo(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		r := startServer(t, &serveCommand{domainFlags: domainFlags{DNSResolver: startNameServer(t).addr, ChallengeLabel: "_challenge", AllowHTTPProof: allowed}})
		ann, acme := r.organization("ann@acme.test")
		status, out := r.call(ann, "POST", acme, `{"domain_name":"company.test","verification_type":"http"}`)
		if (status/100 == 2) != allowed {
			t.Errorf("allowed %v: got %d %v", allowed, status, out)
		}
		if !allowed {
			continue
		}
		status, out = r.call(ann, "POST", acme+"/company.test/verify", "")
		if said := fmt.Sprint(out); status != http.StatusConflict || !strings.Contains(said, "https://company.test/.well-known/") || !strings.Contains(said, "its name has no address") {
			t.Errorf("got %d %v, want that the resolver of --dns-resolver has no address for it", status, out)
		}
	}
}

func TestTheLabelOfAChallengeIsOneLabel(t *testing.T) {
	for text, good := range map[string]bool{
		"_aiven-challenge": true, "_a": true, "a": true, "_acme_challenge": true, strings.Repeat("a", 63): true,
		"":    true, // the usual one
		"a.b": false, "_Aiven": false, "a-": false, "-a": false, "*": false, "a b": false, "ä": false, strings.Repeat("a", 64): false,
	} {
		err := domainFlags{ChallengeLabel: text}.checkLabel()
		if (err == nil) != good {
			t.Errorf("%q: got %v, want good %v", text, err, good)
		}
	}
}

func TestSomeWorkIsDoneOncePerCluster(t *testing.T) {
	once := []string{"domains", "our keys for identity providers", "metadata of identity providers", "ends of certificates"}
	r := startServer(t, &serveCommand{})
	names := map[string]bool{}
	for _, one := range r.tasks() {
		if names[one.Name] {
			t.Errorf("got two tasks %q, want names that differ", one.Name)
		}
		names[one.Name] = true
		if one.Once != slices.Contains(once, one.Name) {
			t.Errorf("task %q: got once per cluster %v", one.Name, one.Once)
		}
		if err := one.Run(t.Context()); err != nil {
			t.Errorf("task %q: got %v", one.Name, err)
		}
	}
}
