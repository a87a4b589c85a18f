package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var secret = strings.Repeat("s", secretLength)

func TestABrowserKeepsWhatItWasGiven(t *testing.T) {
	b := Browser{Secret: secret, Proof: "abc-_9", Bounced: "am1-5f"}
	b.Remember("f1", "/profile?a=b~c.d")
	b.Used("am1")
	got, ok := parseBrowser(b.String())
	if diff := cmp.Diff(b, got); !ok || diff != "" {
		t.Errorf("got %v:\n%s", ok, diff)
	}
}

func TestABrowserKeepsLittle(t *testing.T) {
	b := Browser{Secret: secret, Proof: strings.Repeat("p", 200)}
	for i := range 50 {
		b.Remember(strings.Repeat(string(rune('a'+i%26)), 32), "/"+strings.Repeat("x", 199))
		b.Used("am" + strings.Repeat(string(rune('a'+i%26)), 11))
	}
	if n := len(b.String()); n > mostCookie {
		t.Errorf("the cookie has %d bytes, want at most %d", n, mostCookie)
	}
	b.Remember("last", "/home")
	if got := b.Return("last"); got != "/home" {
		t.Errorf("got %q, want /home", got)
	}
	if got := b.Return("last"); got != "" {
		t.Errorf("asked again: got %q, want nothing", got)
	}
	b.Remember("long", "/"+strings.Repeat("x", 320))
	if got := b.Return("long"); got != "" {
		t.Errorf("a path that is too long was kept: %q", got)
	}
}

func TestNonsenseGetsANewSecret(t *testing.T) {
	c := &CookieStore{}
	for _, value := range []string{"", "x", secret, secret + "....", secret + "...", "!" + secret[1:] + "....", secret + "..." + strings.Repeat("p", 201) + "."} {
		r := httptest.NewRequest("GET", "/", nil)
		if value != "" {
			r.Header.Set("Cookie", BrowserCookie+"="+value)
		}
		b := c.Browser(r)
		wellFormed := value == secret+"...."
		if (b.Secret == secret) != wellFormed || len(b.Secret) != secretLength {
			t.Errorf("%q: got secret %q", value, b.Secret)
		}
	}
}

func FuzzBrowser(f *testing.F) {
	f.Add(secret + ".f1-L2E.am1.p.b")
	f.Add(secret + ".~-~.~~..")
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := parseBrowser(s)
		if !ok {
			return
		}
		if again, ok := parseBrowser(b.String()); !ok || !cmp.Equal(b, again) {
			t.Fatalf("%q reads as %+v, which reads as %+v", s, b, again)
		}
	})
}

func TestCookiesAreForThisHostAlone(t *testing.T) {
	for _, c := range []struct {
		name   string
		secure bool
		want   string
	}{
		{"over https", true, "__Host-gatehouse=text; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"},
		{"on loopback", false, "gatehouse=text; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"},
	} {
		store := &CookieStore{Secure: c.secure}
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		token := Token{ExpiresAt: noon.Add(60_500_000_000)}
		if err := store.Begin(w, r, "text", token, noon); err != nil {
			t.Fatal(err)
		}
		got := w.Header().Get("Set-Cookie")
		// gorilla/sessions says the end twice; Max-Age is what counts.
		parts := []string{}
		for _, p := range strings.Split(got, "; ") {
			if !strings.HasPrefix(p, "Expires=") {
				parts = append(parts, p)
			}
		}
		if got := strings.Join(parts, "; "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEndTakesTheCookieAway(t *testing.T) {
	store := &CookieStore{}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: LoginCookie, Value: "text"})
	if got := store.Token(r); got != "text" {
		t.Fatalf("got token %q, want text", got)
	}
	if err := store.End(w, r); err != nil {
		t.Fatal(err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 || c[0].Value != "" {
		t.Errorf("got %v, want an ended, empty cookie", c)
	}
}
