package session

import (
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"gatehouse/internal/ident"
)

// CookieStore is a gorilla/sessions store for two opaque cookies: the session,
// whose value is a session token, and the browser's own secret. Neither is
// signed or encrypted: both are random and mean nothing to whoever reads them;
// what they stand for is on the server.
//
// Over https their names begin with __Host-, so that no other host, and no
// plain connection, can set them (RFC 6265bis, 4.1.3.2).
type CookieStore struct {
	Secure bool // the public URL is https
}

// The names under which sessions are asked for, and the one value they hold.
const (
	LoginCookie   = "gatehouse"
	BrowserCookie = "gatehouse-browser"
	valueKey      = "value"
)

// mostCookie bounds what is read of a cookie.
const mostCookie = 3072

var _ sessions.Store = (*CookieStore)(nil)

// Get gives the session of a request, read once a request.
func (c *CookieStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(c, name)
}

// New reads the cookie of a request, or makes an empty session.
func (c *CookieStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(c, name)
	s.IsNew = true
	s.Options = &sessions.Options{Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Secure}
	cookie, err := r.Cookie(c.fullName(name))
	if err != nil || cookie.Value == "" || len(cookie.Value) > mostCookie {
		return s, nil
	}
	s.Values[valueKey], s.IsNew = cookie.Value, false
	return s, nil
}

// Save writes the session's cookie, or ends it where MaxAge is negative.
func (c *CookieStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	value, _ := s.Values[valueKey].(string)
	http.SetCookie(w, sessions.NewCookie(c.fullName(s.Name()), value, s.Options))
	return nil
}

func (c *CookieStore) fullName(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Token gives the session token that a request's cookie carries, or "".
func (c *CookieStore) Token(r *http.Request) string {
	return c.value(r, LoginCookie)
}

func (c *CookieStore) value(r *http.Request, name string) string {
	s, err := c.Get(r, name)
	if err != nil {
		return ""
	}
	v, _ := s.Values[valueKey].(string)
	return v
}

// Begin gives the browser a session cookie that ends with its token.
func (c *CookieStore) Begin(w http.ResponseWriter, r *http.Request, text string, t Token, now time.Time) error {
	return c.set(w, r, LoginCookie, text, int(t.ExpiresAt.Sub(now)/time.Second))
}

// End takes the session cookie away.
func (c *CookieStore) End(w http.ResponseWriter, r *http.Request) error {
	return c.set(w, r, LoginCookie, "", -1)
}

func (c *CookieStore) set(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) error {
	s, err := c.Get(r, name)
	if err != nil {
		return err
	}
	s.Values[valueKey], s.Options.MaxAge = value, maxAge
	return s.Save(r, w)
}

// browserAge is how long a browser keeps its secret, in seconds.
const browserAge = 180 * 24 * 60 * 60

// Browser gives what the browser keeps between logins. A browser that has
// nothing, or nonsense, gets a new secret.
func (c *CookieStore) Browser(r *http.Request) Browser {
	b, ok := parseBrowser(c.value(r, BrowserCookie))
	if !ok {
		return Browser{Secret: ident.Secret(secretLength)}
	}
	return b
}

// SaveBrowser gives the browser its secret to keep.
func (c *CookieStore) SaveBrowser(w http.ResponseWriter, r *http.Request, b Browser) error {
	return c.set(w, r, BrowserCookie, b.String(), browserAge)
}
