package sso_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/sso"
)

func TestNoAddressOfMetadataLeadsToThisMachineOrItsNetwork(t *testing.T) {
	var reached atomic.Int64
	canary := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	canary.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	canary.StartTLS()
	defer canary.Close()
	_, port, err := net.SplitHostPort(canary.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.Pages = sso.NewMetadataClient("test")
	for _, address := range []string{
		"https://127.0.0.1:" + port, "https://localhost:" + port, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://[::ffff:7f00:1]:" + port, "https://0.0.0.0:" + port,
		"https://0x7f.1:" + port, "https://2130706433:" + port, "https://0177.0.0.1:" + port, "https://127.1:" + port,
		"http://127.0.0.1:" + port, "http://localhost:" + port, "https://169.254.169.254/latest/meta-data", "https://[64:ff9b::7f00:1]:" + port, "https://10.0.0.1/",
		"file:///etc/passwd", "gopher://127.0.0.1:" + port + "/x", "ftp://127.0.0.1/", "javascript:alert(1)", "//127.0.0.1/", "https://user:secret@127.0.0.1:" + port + "/",
		"https://127.0.0.1:" + port + "#x", "https:127.0.0.1", "127.0.0.1", " ", "https://" + strings.Repeat("x", 3000),
	} {
		_, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{Name: new("Evil"), IdPMetadataURL: &address}})
		if address == " " {
			w.do(err) // says nothing
			continue
		}
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Field != "saml_idp_metadata_url" {
			t.Errorf("%s: got %v, want it refused at saml_idp_metadata_url", address, err)
		} else if strings.Contains(f.Message, "secret") {
			t.Errorf("%s: got %q, which repeats a password", address, f.Message)
		}
		w.now = w.now.Add(time.Minute) // of the bound on fetches
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d connections to this machine, want none", n)
	}
}

func TestMetadataOfANetworkThatIsNamedIsFetched(t *testing.T) {
	one := newSigner(t, "one", 1000*time.Hour)
	text := describes(entity, "https://idp.example.com/sso", one)
	idp := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte(text)) }))
	defer idp.Close()
	w := newWorld(t)
	client := sso.NewMetadataClient("test")
	client.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	w.Pages = client
	i, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{Name: new("Okta"), IdPMetadataURL: new(idp.URL)}})
	w.do(err)
	same(t, i.EntityID, entity)
	text = strings.Repeat(" ", sso.MostFetched) + text
	r, outcome, err := w.Refresh(t.Context(), w.ada, i)
	w.do(err)
	same(t, []any{outcome, strings.Contains(r.Failure, "larger than 1048576 bytes")}, []any{sso.Failed, true})
}
