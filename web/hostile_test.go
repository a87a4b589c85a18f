package web

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/limit"
)

// A hostileAnswer is what a stranger posts to make the server work.
type hostileAnswer struct {
	name string
	doc  string
}

// hostileAnswers are the documents that cost other service providers seconds
// and gigabytes, as they are and as long as they may be here.
func hostileAnswers() []hostileAnswer {
	const open, shut = `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="a">`, `</p:Response>`
	declarations := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ` xmlns:n%d="u"`, i)
		}
		return b.String()
	}
	const head = len(open) + len(shut)
	const most = 256<<10 - head
	upTo := func(part string) string { return open + strings.Repeat(part, most/len(part)) + shut }
	const dsig, exclusive = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"
	signature := `<Signature xmlns="` + dsig + `"><SignedInfo><CanonicalizationMethod Algorithm="` + exclusive + `"/>` +
		`<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><Reference URI="#a"><Transforms>` +
		`<Transform Algorithm="` + dsig + `enveloped-signature"/><Transform Algorithm="` + exclusive + `"/></Transforms>` +
		`<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>` + base64.StdEncoding.EncodeToString(make([]byte, 32)) +
		`</DigestValue></Reference></SignedInfo><SignatureValue>` + base64.StdEncoding.EncodeToString(make([]byte, 256)) + `</SignatureValue></Signature>`
	return []hostileAnswer{
		{"20,000 namespaces over 400 elements", "<x" + declarations(20_000) + ">" + strings.Repeat("<y/>", 400) + "</x>"},
		{"100,000 namespaces over 400 elements", "<x" + declarations(100_000) + ">" + strings.Repeat("<y/>", 400) + "</x>"},
		{"15,000 namespaces, as long as may be", strings.TrimSuffix(open, ">") + declarations(15_000) + ">" + strings.Repeat("<y/>", 400) + shut},
		{"100,000 elements", open + strings.Repeat("<x/>", 100_000) + shut},
		{"65,000 elements, as long as may be", upTo("<x/>")},
		{"9,000 elements under a signature of somebody else", strings.Replace(open, `ID="a">`, `ID="a"`+declarations(20)+">"+signature, 1) +
			`<s:Assertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion" ID="b">` + strings.Repeat("<xxxxxxxxxxxxxxxxxxx/>", 9_000) + `</s:Assertion>` + shut},
		{"depth 100,000", strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000)},
		{"depth 1,000,000", strings.Repeat("<a>", 1_000_000) + strings.Repeat("</a>", 1_000_000)},
		{"depth 28,000, as long as may be", open + strings.Repeat("<a>", 28_000) + strings.Repeat("</a>", 28_000) + shut},
		{"2,000 encrypted assertions", open + strings.Repeat(`<s:EncryptedAssertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"><e:EncryptedData xmlns:e="http://www.w3.org/2001/04/xmlenc#"/></s:EncryptedAssertion>`, 2_000) + shut},
		{"1,500 encrypted assertions, as long as may be", upTo(`<s:EncryptedAssertion xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion"><e:EncryptedData xmlns:e="http://www.w3.org/2001/04/xmlenc#"/></s:EncryptedAssertion>`)},
		{"60,000 references", upTo("&amp;")},
		{"6,800 elements of seven attributes", upTo("<x a='' b='' c='' d='' e='' f='' g=''/>")},
		{"20 MB of nothing", strings.Repeat(" ", 20<<20)},
	}
}

// form is the document as a form has it.
func (a hostileAnswer) form() string {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(a.doc))}}.Encode()
}

// TestHostileAnswersAreRefused posts each of them, and no answer is a failure
// of ours.
func TestHostileAnswersAreRefused(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	for _, h := range hostileAnswers() {
		r := httptest.NewRequest("POST", "/v1/sso/saml/acs/"+method, strings.NewReader(h.form()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		got := httptest.NewRecorder()
		w.server.Handler().ServeHTTP(got, r)
		if got.Code != http.StatusForbidden && got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: got %d, want 403 or 413", h.name, got.Code)
		}
	}
}

// TestHostileAnswersLeaveOthersServed keeps 200 hostile posts under way: all of
// each but its last byte is sent, somebody else logs in, and only then the
// last bytes follow, all at once, with pages asked for beside them.
func TestHostileAnswersLeaveOthersServed(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	acs := w.at("/v1/sso/saml/acs/" + method)
	var long []hostileAnswer
	for _, h := range hostileAnswers() {
		if len(h.form()) < mostResponse {
			long = append(long, h)
		}
	}
	const posts = 200
	release, sent, statuses := make(chan struct{}), sync.WaitGroup{}, make([]int, posts)
	var done sync.WaitGroup
	sent.Add(posts)
	for i := range posts {
		form := long[i%len(long)].form()
		body, feed := io.Pipe()
		go func() {
			_, _ = io.WriteString(feed, form[:len(form)-1])
			sent.Done()
			<-release
			_, _ = io.WriteString(feed, form[len(form)-1:])
			feed.Close()
		}()
		done.Go(func() {
			r, err := http.NewRequest("POST", acs, body)
			if err != nil {
				t.Error(err)
				return
			}
			r.ContentLength = int64(len(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Errorf("post %d: %v", i, err)
				return
			}
			resp.Body.Close()
			statuses[i] = resp.StatusCode
		})
	}
	sent.Wait()
	// None of the 200 has been answered: all of them wait for a byte.
	b := w.browser()
	if got := b.get(b.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to(); got != "/" {
		t.Errorf("a login beside them: got sent to %s, want /", got)
	}
	close(release)
	for range 20 {
		b.get("/").wantStatus(http.StatusOK)
	}
	done.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	// Refused, one too many from their address, or told to come back later.
	if count[403]+count[429]+count[503] != posts || count[403] == 0 {
		t.Errorf("got the answers %v, want 403, 429 and 503", count)
	}
}

// BenchmarkHostileAnswer is what each costs from the first byte of the request
// to the last of its refusal.
func BenchmarkHostileAnswer(b *testing.B) {
	w := newWorld(b)
	_, _, _, method := w.acme()
	// Refusals are counted by address; here a minute passes before each.
	now := w.server.Now()
	w.server.Login.Limits = &limit.Memory{Now: func() time.Time { now = now.Add(time.Minute); return now }}
	handler, acs := w.server.Handler(), "/v1/sso/saml/acs/"+method
	for _, h := range hostileAnswers() {
		form := h.form()
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", acs, strings.NewReader(form))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				got := httptest.NewRecorder()
				handler.ServeHTTP(got, r)
				if got.Code != http.StatusForbidden && got.Code != http.StatusRequestEntityTooLarge {
					b.Fatalf("got %d, want it refused", got.Code)
				}
			}
		})
	}
}
