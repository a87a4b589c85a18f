package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/internal/demoidp"
)

// client is an identity provider and the browsers of its people.
type client struct {
	http   *http.Client
	base   string
	token  string
	method string
	idp    *demoidp.IdP
	size   int // of a response, in bytes
}

// people is how many log in.
const people = 64

// connect makes an organization whose identity provider signs as asked, and
// signs its people up.
func connect(base, sign string, size int) (*client, error) {
	idp, err := demoidp.New("https://idp.bench.test")
	if err != nil {
		return nil, err
	}
	idp.Sign = demoidp.Signing(sign)
	idp.Misbehave = func(r *demoidp.Response) { r.Size = size }
	idp.Users = nil
	for i := range people {
		idp.Users = append(idp.Users, demoidp.User{
			Username: fmt.Sprintf("person%d", i), Email: fmt.Sprintf("person%d@bench.test", i), FirstName: "Person", LastName: fmt.Sprint(i),
			Groups: []string{"engineering", "everybody"},
		})
	}
	c := &client{base: base, idp: idp, http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if err := c.setUp(); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	for i := range people {
		a, err := c.begin(i, "?intent=signup")
		if err != nil {
			return nil, err
		}
		if err := c.finish(a); err != nil {
			return nil, fmt.Errorf("sign up person %d: %w", i, err)
		}
		raw, _ := base64.StdEncoding.DecodeString(a.form.Get("SAMLResponse"))
		c.size = len(raw)
	}
	return c, nil
}

func (c *client) setUp() error {
	var login struct{ Token string }
	if err := c.api("/v1/userauth", map[string]any{"email": operatorMail, "password": operatorPassword}, &login); err != nil {
		return err
	}
	c.token = login.Token
	var org struct {
		AccountID string `json:"account_id"`
	}
	if err := c.api("/v1/organizations", map[string]any{"organization_name": "Bench", "tier": "business"}, &org); err != nil {
		return err
	}
	var made struct {
		Method struct {
			ID       string `json:"authentication_method_id"`
			Metadata string `json:"saml_metadata_url"`
			ACS      string `json:"saml_acs_url"`
		} `json:"authentication_method"`
	}
	err := c.api("/v1/account/"+org.AccountID+"/authentication", map[string]any{
		"authentication_method_name": "IdP", "authentication_method_type": "saml",
		"saml_idp_metadata": string(c.idp.Metadata()), "saml_field_mapping": map[string]string{"identity": "username"},
	}, &made)
	c.method = made.Method.ID
	c.idp.Register(demoidp.SP{EntityID: made.Method.Metadata, ACSURL: made.Method.ACS})
	return err
}

// api calls the JSON API.
func (c *client) api(path string, in map[string]any, out any) error {
	body, _ := json.Marshal(in)
	r, _ := http.NewRequest(http.MethodPost, c.base+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

// An answer is what a browser brings back from the identity provider.
type answer struct {
	browser string // the cookie
	acs     string
	form    url.Values
}

// do sends a request as one of very many people would, and gives the redirect
// that answers it.
func (c *client) do(method, address, cookie string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), rand.IntN(256)))
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	// As a link on the login page has it: nobody is asked then.
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://idp.bench.test")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusSeeOther {
		err = fmt.Errorf("%s %s: %s: %.400s", method, r.URL.Path, answer.Status, text)
	}
	return answer, err
}

// prepare starts a login for person i and has the identity provider answer.
func (c *client) prepare(i int) (answer, error) { return c.begin(i, "") }

func (c *client) begin(i int, query string) (answer, error) {
	r, err := c.do(http.MethodGet, c.base+"/v1/sso/saml/login/"+c.method+query, "", nil)
	if err != nil {
		return answer{}, err
	}
	acs, form, err := c.idp.Answer(r.Header.Get("Location"), c.idp.Users[i%people])
	return answer{cookie(r, "gatehouse-browser"), acs, form}, err
}

// post brings an answer to the ACS, and gives where that leads.
func (c *client) post(a answer) (string, error) {
	r, err := c.do(http.MethodPost, a.acs, "", a.form)
	if err != nil {
		return "", err
	}
	next, err := r.Location()
	if err != nil {
		return "", err
	}
	return next.String(), nil
}

// finish posts an answer and goes where it leads, to a session.
func (c *client) finish(a answer) error {
	next, err := c.post(a)
	if err != nil {
		return err
	}
	r, err := c.do(http.MethodGet, next, a.browser, nil)
	if err != nil {
		return err
	}
	if cookie(r, "gatehouse") == "" {
		return fmt.Errorf("no session after %s", next)
	}
	return nil
}

// login is a whole login.
func (c *client) login(i int) error {
	a, err := c.begin(i, "")
	if err != nil {
		return err
	}
	return c.finish(a)
}

// cookie gives a cookie that an answer sets, as a browser would send it.
func cookie(r *http.Response, name string) string {
	for _, k := range r.Cookies() {
		if k.Name == name && k.Value != "" {
			return name + "=" + k.Value
		}
	}
	return ""
}
