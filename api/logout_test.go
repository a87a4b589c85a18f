package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gatehouse/session"
	"gatehouse/sso"
)

// A mute is a back channel on which nobody answers.
type mute struct{ asked int }

func (s *mute) PostSOAP(context.Context, string, []byte) ([]byte, error) {
	s.asked++
	return nil, errors.New("nobody answers")
}

func TestALogoutSaysWhatIsLeftToDo(t *testing.T) {
	for name, c := range map[string]struct {
		fields, message string
		link            bool
		asked           int
	}{
		"of an identity provider that is told of none": {`{}`, "You are logged out.", false, 0},
		"of one that is told by the browser":           {`{"saml_idp_slo_url":"https://idp.acme.example/slo"}`, "open saml_logout_url", true, 0},
		"of one that is told by POST":                  {`{"saml_idp_slo_url":"https://idp.acme.example/slo","saml_slo_binding":"post"}`, "open saml_logout_url", true, 0},
		"of one that is told over SOAP":                {`{"saml_idp_slo_url":"https://idp.acme.example/slo","saml_slo_binding":"soap"}`, "did not confirm", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, back := newWorld(t), &mute{}
			w.Login.Backchannel = back
			admin := w.signUp(t, "ann@acme.example")
			_, accountID := w.organization(t, admin, "Acme")
			method := w.enabled(t, admin, accountID)
			w.as(t, admin, "PUT", "/v1/account/"+accountID+"/authentication/"+method, c.fields).need(t, http.StatusOK)
			i, err := w.store.IdP(t.Context(), method)
			if err != nil {
				t.Fatal(err)
			}
			id := w.as(t, admin, "GET", "/v1/me", "").need(t, http.StatusOK)["user"].(map[string]any)["user_id"].(string)
			w.through(t, method, id)
			token, _, err := w.Tokens.Issue(t.Context(), session.Grant{
				UserID: id, Method: session.Method{Kind: session.SAML, ID: method}, LoggedIn: w.now,
				IdP: session.Principal{Name: `{"Value":"ann"}`, Key: i.NameKey(sso.NameID{Value: "ann"}), Index: "one"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := w.as(t, token, "POST", "/v1/me/logout", "").need(t, http.StatusOK)
			link, _ := got["saml_logout_url"].(string)
			if !strings.Contains(got["message"].(string), c.message) || (link != "") != c.link || back.asked != c.asked {
				t.Errorf("got %v after asking %d times, want %q", got, back.asked, c.message)
			}
			if c.link && !strings.HasPrefix(link, "https://gatehouse.example/logout/onward?request=") {
				t.Errorf("got the link %s", link)
			}
			w.as(t, token, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
		})
	}
}

func TestLogoutAddressesAreHeldToTheirForm(t *testing.T) {
	w := newWorld(t)
	admin := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, admin, "Acme")
	target := "/v1/account/" + accountID + "/authentication/" + w.enabled(t, admin, accountID)
	for field, values := range map[string][]string{
		"saml_idp_slo_url":          {"javascript:alert(1)", "http://idp.example/slo", "https://gatehouse.example/logout", "https://u:p@idp.example/", "https://idp.example/?SAMLRequest=x"},
		"saml_idp_slo_response_url": {"data:text/html,x", "https://gatehouse.example/"},
		"saml_slo_binding":          {"artifact"},
	} {
		for _, v := range values {
			if got := w.as(t, admin, "PUT", target, `{"`+field+`":"`+v+`"}`).needFailure(t, http.StatusBadRequest); !strings.Contains(fmt.Sprint(got), field) {
				t.Errorf("%s %s: got %v, want an error at the field", field, v, got)
			}
		}
	}
	said := w.as(t, admin, "PUT", target, `{"saml_idp_slo_url":"https://idp.example/slo","saml_idp_slo_response_url":"https://idp.example/answer","saml_slo_binding":"soap"}`).need(t, http.StatusOK)
	m := said["authentication_method"].(map[string]any)
	if m["saml_idp_slo_url"] != "https://idp.example/slo" || m["saml_idp_slo_response_url"] != "https://idp.example/answer" || m["saml_slo_binding"] != "soap" {
		t.Errorf("got %v, want what was set", m)
	}
	m = w.as(t, admin, "PUT", target, `{"saml_idp_slo_url":"","saml_idp_slo_response_url":"","saml_slo_binding":""}`).need(t, http.StatusOK)["authentication_method"].(map[string]any)
	if m["saml_idp_slo_url"] != nil || m["saml_slo_binding"] != "redirect" {
		t.Errorf("got %v, want it told of none", m)
	}
}
