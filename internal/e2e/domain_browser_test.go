package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/miekg/dns"
)

// A zone is what a DNS server in this process says: TXT values by name.
type zone struct {
	address string

	mu  sync.Mutex
	txt map[string]string
}

// startZone serves a zone over UDP and TCP until the test ends.
func startZone(t testing.TB) *zone {
	t.Helper()
	z := &zone{txt: map[string]string{}}
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			continue // somebody else has that port for TCP
		}
		z.address = packets.LocalAddr().String()
		for _, s := range []*dns.Server{{PacketConn: packets, Handler: z}, {Listener: streams, Handler: z}} {
			up := make(chan struct{})
			s.NotifyStartedFunc = func() { close(up) }
			go func() { _ = s.ActivateAndServe() }() // ends with Shutdown
			<-up
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		return z
	}
	t.Fatal("found no port that is free for both UDP and TCP")
	return nil
}

func (z *zone) publish(name, value string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.txt[dns.Fqdn(name)] = value
}

// ServeDNS implements dns.Handler.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	value, there := z.txt[dns.CanonicalName(q.Question[0].Name)]
	switch {
	case !there:
		m.Rcode = dns.RcodeNameError
	case q.Question[0].Qtype == dns.TypeTXT:
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: []string{value}}}
	}
	_ = w.WriteMsg(m)
}

// A company proves its domain and links it to its identity provider. From then
// on an address is enough: a new person comes in, managed; and what a stranger
// signed up for with a colleague's address is taken over once that colleague
// says so.
func TestADomainBringsPeopleInInABrowser(t *testing.T) {
	chromium := needBrowser(t)
	names := startZone(t)
	b := startBroker(t, "", "--dns-resolver", names.address)
	p := b.connectServed()
	// Mallory signs up with Bob's address, and waits.
	var mallory struct{ Token string }
	b.call("POST", "/v1/user", map[string]any{"email": "bob@acme.test", "real_name": "Mallory", "password": "a password of mallory"}, http.StatusOK, &mallory)
	if status, text := b.callAs(mallory.Token, "POST", "/v1/organizations", map[string]any{"organization_name": "Trap", "tier": "business"}); status != http.StatusOK {
		t.Fatalf("the stranger's organization: got %d %s", status, text)
	}

	admin := chromium.private(t)
	organization := b.base + "/organization/" + b.org
	admin.do(
		chromedp.Navigate(organization+"/domains"),
		chromedp.SendKeys(chromedp.CSS("input[name=email]"), operatorMail+"\r"),
		chromedp.WaitVisible(chromedp.CSS("input[name=password]")),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), operatorPassword+"\r"),
		chromedp.WaitVisible(chromedp.CSS(".empty")),
	)
	admin.looks("domains-none")
	admin.do(chromedp.Click(chromedp.CSS(".actions a.primary")), chromedp.WaitVisible(chromedp.CSS("#in-domain_name")))
	admin.looks("domain-new")
	verify := chromedp.CSS("form[action$='/verify'] button")
	admin.do(
		chromedp.SendKeys(chromedp.CSS("#in-domain_name"), "Acme.test\r"),
		chromedp.WaitVisible(chromedp.CSS("[data-copy=copy-value]")),
	)
	admin.looks("domain-added")
	admin.do(chromedp.Click(verify), chromedp.WaitVisible(chromedp.CSS("section.look table")))
	admin.looks("domain-not-verified")
	if got := admin.text("section.look"); !strings.Contains(got, "NXDOMAIN") || !strings.Contains(got, names.address) {
		t.Errorf("the look in vain shows:\n%s", got)
	}
	names.publish(admin.text("#copy-name"), "token=of-another-claim,expiry=never")
	// The third fact is what is published: it is not on the page before.
	admin.do(chromedp.Click(verify), chromedp.WaitVisible(chromedp.CSS("section.look dl > div:nth-child(3)")))
	admin.looks("domain-wrong-value")
	names.publish(admin.text("#copy-name"), admin.text("#copy-value"))
	admin.do(
		chromedp.Click(verify),
		chromedp.WaitVisible(chromedp.CSS(".flash")),
		chromedp.Click(chromedp.CSS("form[action$='/link'] button")),
		chromedp.WaitVisible(chromedp.CSS("form[action$='/unlink'] button")),
	)
	admin.looks("domain-linked")
	admin.do(chromedp.Navigate(organization+"/domains"), chromedp.WaitVisible(chromedp.CSS("main table")))
	admin.looks("domains")
	admin.do(chromedp.Navigate(organization+"/identity-providers/"+p.ID), chromedp.WaitVisible(chromedp.CSS("#domains-title")))
	admin.looks("idp")

	stranger := chromium.private(t)
	stranger.do(
		chromedp.Navigate(b.base+"/login"),
		chromedp.SendKeys(chromedp.CSS("input[name=email]"), "alice@acme.test\r"),
		chromedp.WaitVisible(chromedp.CSS("a.way.first")),
	)
	stranger.looks("ways")
	stranger.do(
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), "a wrong password\r"),
		chromedp.WaitVisible(chromedp.CSS("#links-title")),
	)
	stranger.looks("wrong-password")
	stranger.do(
		chromedp.Navigate(b.base+"/signup"),
		chromedp.SendKeys(chromedp.CSS("input[name=real_name]"), "Alice"),
		chromedp.SendKeys(chromedp.CSS("input[name=email]"), "alice@acme.test"),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), "a password of alice\r"),
		chromedp.WaitVisible(chromedp.CSS("a.way.first")),
	)
	stranger.looks("signup")

	alice := comeIn(t, b, chromium.private(t), "alice")
	alice.do(chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")), chromedp.Navigate(b.base+"/profile"), chromedp.WaitVisible(chromedp.CSS("#managed-title")))
	alice.looks("profile")
	if got := alice.text("main"); !strings.Contains(got, "Managed by Acme") || !strings.Contains(got, "alice@acme.test") {
		t.Errorf("the profile of somebody who is managed shows:\n%s", got)
	}

	bob := comeIn(t, b, chromium.private(t), "bob")
	yes := chromedp.CSS("form[action='/login/continue'] button")
	bob.do(chromedp.WaitVisible(yes))
	bob.looks("claim")
	if got := bob.text("main"); !strings.Contains(got, "Trap") || !strings.Contains(got, "bob@acme.test") {
		t.Errorf("the page that asks shows:\n%s", got)
	}
	if status, _ := b.callAs(mallory.Token, "GET", "/v1/me", nil); status != http.StatusOK {
		t.Errorf("before the person said yes, the stranger gets %d, want 200", status)
	}
	bob.do(chromedp.Click(yes), chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")))
	if status, _ := b.callAs(mallory.Token, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("after it, the stranger gets %d, want 401", status)
	}
	admin.do(chromedp.Navigate(organization+"/people"), chromedp.WaitVisible(chromedp.CSS("main table")))
	admin.looks("people")
	admin.do(chromedp.Click(chromedp.CSS("tbody tr:first-child a")), chromedp.WaitVisible(chromedp.CSS("#release-title")))
	admin.looks("person")
	for _, c := range append(admin.complaints(), append(alice.complaints(), bob.complaints()...)...) {
		if !strings.Contains(c, "409") { // looks in vain
			t.Errorf("the browser complains: %s", c)
		}
	}
}

// comeIn types somebody's address, and follows what is offered to the identity
// provider and back.
func comeIn(t testing.TB, b *broker, tab *tab, who string) *tab {
	t.Helper()
	first := chromedp.CSS("a.way.first")
	tab.do(
		chromedp.Navigate(b.base+"/login"),
		chromedp.SendKeys(chromedp.CSS("input[name=email]"), who+"@acme.test\r"),
		chromedp.WaitVisible(first),
	)
	tab.do(
		chromedp.Click(first),
		chromedp.WaitVisible(chromedp.CSS("button[value="+who+"]")),
		chromedp.Click(chromedp.CSS("button[value="+who+"]")),
	)
	return tab
}
