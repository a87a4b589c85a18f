package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"gatehouse/internal/parts"
)

// An ssp is a running SimpleSAMLphp. Its people are alice (whose last name is
// not ASCII), bob and noemail; a password is the username and "pass".
type ssp struct {
	base string // http://localhost:port
	dir  string
}

// An sspSP is a service provider as SimpleSAMLphp is told of it.
type sspSP struct {
	EntityID      string `json:"entity_id"`
	ACSURL        string `json:"acs"`
	SignResponse  bool   `json:"sign_response"`
	SignAssertion bool   `json:"sign_assertion"`
	Algorithm     string `json:"algorithm,omitempty"`      // sha1, sha256 (unless said), sha384 or sha512
	NameID        string `json:"name_id,omitempty"`        // email (unless said), persistent or transient
	Certificate   []byte `json:"certificate,omitempty"`    // DER: what it signs requests with
	CheckRequests bool   `json:"check_requests,omitempty"` // answer signed requests only
}

// needSSP gives the running SimpleSAMLphp, or skips the test.
func needSSP(t testing.TB) *ssp {
	t.Helper()
	return &ssp{base: parts.Need(t, parts.SSP), dir: parts.Need(t, parts.SSPDir)}
}

func (s *ssp) entityID() string { return s.base + "/idp" }
func (s *ssp) ssoURL() string   { return s.base + "/simplesamlphp/saml2/idp/SSOService.php" }

// startURL is where a login for sp starts without a request.
func (s *ssp) startURL(sp sspSP, relayState string) string {
	return s.ssoURL() + "?" + url.Values{"spentityid": {sp.EntityID}, "RelayState": {relayState}}.Encode()
}

// certificatePEM is what it signs with.
func (s *ssp) certificatePEM(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "cert", "idp.crt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// metadata fetches what it says of itself.
func (s *ssp) metadata(t testing.TB) []byte {
	t.Helper()
	r, err := http.Get(s.base + "/simplesamlphp/saml2/idp/metadata.php")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// register tells it of sp until the test ends. Each provider has a file of its
// own, so that tests that run at once do not disturb one another.
func (s *ssp) register(t testing.TB, sp sspSP) {
	t.Helper()
	b, err := json.Marshal(sp)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(sp.EntityID))
	file := filepath.Join(s.dir, "sps", hex.EncodeToString(sum[:8])+".json")
	if err := os.WriteFile(file+".new", b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file) })
}

// login opens start, which is an AuthnRequest by the Redirect binding or a
// startURL, logs in as a browser would, and gives the form for the ACS and its
// address. The answer is not posted.
func (s *ssp) login(t testing.TB, start, username string) (acsURL string, form url.Values) {
	t.Helper()
	acs, form, err := s.tryLogin(start, username, username+"pass")
	if err != nil {
		t.Fatal(err)
	}
	return acs, form
}

func (s *ssp) tryLogin(start, username, password string) (string, url.Values, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", nil, err
	}
	c := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	page, err := c.Get(start)
	if err != nil {
		return "", nil, fmt.Errorf("open the identity provider: %w", err)
	}
	// The login page, then the answer; a further page would be a surprise.
	for range 2 {
		action, form, err := readPage(page)
		if err != nil {
			return "", nil, err
		}
		if form.Has("SAMLResponse") {
			return action, form, nil
		}
		if !form.Has("password") {
			return "", nil, fmt.Errorf("the page at %s (%s) asks for no password", page.Request.URL.Path, page.Status)
		}
		form.Set("username", username)
		form.Set("password", password)
		if page, err = c.PostForm(action, form); err != nil {
			return "", nil, fmt.Errorf("log in: %w", err)
		}
	}
	action, form, err := readPage(page)
	if err == nil && !form.Has("SAMLResponse") {
		err = fmt.Errorf("the identity provider refused %s: no answer at %s (%s)", username, page.Request.URL.Path, page.Status)
	}
	return action, form, err
}

// readPage takes the form out of a page: the one that holds an answer or asks
// for a password, if there is one.
func readPage(page *http.Response) (action string, form url.Values, err error) {
	defer page.Body.Close()
	d, err := goquery.NewDocumentFromReader(io.LimitReader(page.Body, 1<<20))
	if err != nil {
		return "", nil, fmt.Errorf("read page: %w", err)
	}
	f := d.Find("form:has([name=SAMLResponse]), form:has([name=password])").First()
	form = url.Values{}
	f.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		if kind := in.AttrOr("type", "text"); kind == "submit" || kind == "checkbox" {
			return
		}
		form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	u, err := page.Request.URL.Parse(f.AttrOr("action", ""))
	if err != nil {
		return "", nil, fmt.Errorf("read the address of a form: %w", err)
	}
	return u.String(), form, nil
}
