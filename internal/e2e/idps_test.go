package e2e_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// onEachIdP runs a test against every identity provider that others wrote.
func onEachIdP(t *testing.T, test func(t *testing.T, i realIdP)) {
	t.Run("SimpleSAMLphp", func(t *testing.T) { test(t, needSSP(t)) })
	t.Run("LemonLDAP::NG", func(t *testing.T) { test(t, needLemonLDAP(t)) })
	t.Run("samlp", func(t *testing.T) { test(t, needSamlp(t)) })
	t.Run("samlify", func(t *testing.T) { test(t, needSamlify(t)) })
	t.Run("pysaml2", func(t *testing.T) { test(t, needPySAML2(t)) })
	t.Run("Keycloak", func(t *testing.T) { test(t, needKeycloak(t)) })
}

// decoded is the document of an answer.
func decoded(t testing.TB, form url.Values) string {
	t.Helper()
	doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// signUpAndLogIn makes an account through the signup link, sees that the home
// page says want, and then logs the same person in through the login link, in
// another browser.
func (b *broker) signUpAndLogIn(t *testing.T, i realIdP, p provider, who, want string) {
	t.Helper()
	for _, start := range []string{p.Login + "?intent=signup", p.Login} {
		one := newPerson(t)
		answered := one.logIn(i, one.open(start).onward(t), who)
		if answered.status != http.StatusSeeOther {
			t.Fatalf("%s: got %d, want the answer to be taken:\n%s", start, answered.status, answered.doc.Find("main").Text())
		}
		finished := one.open(answered.location)
		if finished.status != http.StatusSeeOther {
			t.Fatalf("%s: got %d, want a session:\n%s", start, finished.status, finished.doc.Find("main").Text())
		}
		if home := one.open(finished.location); !strings.Contains(home.doc.Text(), want) {
			t.Errorf("%s: the home page does not say %q:\n%s", start, want, home.doc.Find("main").Text())
		}
	}
}

// finish opens where an answer at the ACS leads, says yes if asked, and fails
// unless that ends in a session whose home page says want. It gives the path
// that the login led to.
func (b *broker) finish(t *testing.T, one *person, answered page, question, want string) string {
	t.Helper()
	if answered.status != http.StatusSeeOther {
		t.Fatalf("got %d, want the answer to be taken:\n%s", answered.status, answered.doc.Find("main").Text())
	}
	finished := one.open(answered.location)
	if question != "" {
		finished = b.sayYes(t, one, finished, question)
	}
	if finished.status != http.StatusSeeOther {
		t.Fatalf("got %d, want a session:\n%s", finished.status, finished.doc.Find("main").Text())
	}
	if home := one.open(b.base + "/"); !strings.Contains(home.doc.Text(), want) {
		t.Errorf("the home page does not say %q:\n%s", want, home.doc.Find("main").Text())
	}
	return strings.TrimPrefix(finished.location, b.base)
}

// sayYes answers a question, which has to say what is expected of it.
func (b *broker) sayYes(t *testing.T, one *person, asked page, question string) page {
	t.Helper()
	answer := url.Values{}
	asked.doc.Find("form[action='/login/continue'] input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		answer.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	if !answer.Has("flow") || !strings.Contains(asked.doc.Find("main").Text(), question) {
		t.Fatalf("got %d %s, want a question about %q:\n%s", asked.status, asked.location, question, asked.doc.Find("main").Text())
	}
	return one.post(b.base+"/login/continue", b.base, answer)
}

func TestLoginsStartedAtEachIdP(t *testing.T) {
	onEachIdP(t, func(t *testing.T, i realIdP) {
		b := startBroker(t, "")
		p := i.connect(t, b, nil)
		who := i.person(t)
		b.signUpAndLogIn(t, i, p, who, who+"@company.test")
		unsolicited := func(one *person, relayState string) page {
			t.Helper()
			return one.logIn(i, step{address: i.startURL(t, p, relayState)}, who)
		}
		// bounced sees that an answer is sent back to the identity provider with
		// a request of ours, and that this one is taken and leads to a path.
		bounced := func(t *testing.T, relayState, path string) {
			t.Helper()
			one := newPerson(t)
			back := unsolicited(one, relayState)
			if back.status != http.StatusSeeOther || !strings.HasPrefix(back.location, p.Login+"?") {
				t.Fatalf("got %d %s, want a login that starts here:\n%s", back.status, back.location, back.doc.Find("main").Text())
			}
			if got := b.finish(t, one, one.logIn(i, one.openFrom("cross-site", back.location).onward(t), who), "You come from", who+"@company.test"); got != path {
				t.Errorf("got led to %s, want %s", got, path)
			}
		}

		t.Run("not allowed", func(t *testing.T) {
			wantCode(t, unsolicited(newPerson(t), ""), http.StatusForbidden, "invalid_relay_state")
			wantCode(t, unsolicited(newPerson(t), "https://evil.example/"), http.StatusForbidden, "invalid_relay_state")
		})
		t.Run("not allowed, but the relay state is the console", func(t *testing.T) { bounced(t, b.base+"/", "/") })

		b.configure(b.account, p, map[string]any{"saml_idp_login_allowed": true})
		t.Run("allowed", func(t *testing.T) { bounced(t, "", "/") })
		t.Run("allowed, to a page of ours", func(t *testing.T) { bounced(t, "/profile", "/profile") })
		t.Run("allowed, with a strange relay state", func(t *testing.T) { bounced(t, `\\evil.example`, "/") })
		t.Run("answered without a request a second time", func(t *testing.T) {
			one := newPerson(t)
			one.open(unsolicited(one, "").location)
			wantCode(t, one.open(unsolicited(one, "").location), http.StatusForbidden, "unsolicited_after_bounce")
		})

		b.configure(b.account, p, map[string]any{"saml_idp_login_mode": "accept"})
		t.Run("accepted", func(t *testing.T) {
			one := newPerson(t)
			if got := b.finish(t, one, unsolicited(one, "/profile"), "You come from", who+"@company.test"); got != "/profile" {
				t.Errorf("got led to %s, want /profile", got)
			}
		})
		t.Run("accepted, once", func(t *testing.T) {
			acs, form, err := logInAt(step{address: i.startURL(t, p, "")}, who, who+"pass")
			if err != nil {
				t.Fatal(err)
			}
			one := newPerson(t)
			if got := one.post(acs, i.origin(), form); got.status != http.StatusSeeOther {
				t.Fatalf("the first time: got %d, want it taken", got.status)
			}
			wantCode(t, newPerson(t).post(acs, i.origin(), form), http.StatusForbidden, "assertion_replayed")
		})
		t.Run("accepted, of a stranger", func(t *testing.T) {
			one, stranger := newPerson(t), i.person(t)
			answered := one.logIn(i, step{address: i.startURL(t, p, "")}, stranger)
			if got := one.open(answered.location); got.status != http.StatusForbidden {
				t.Errorf("got %d %s, want a refusal: nobody is linked", got.status, got.location)
			}
			b.wantNobody(t, stranger)
		})
		b.wantCleanLog(t)
	})
}

func TestAccountsAreLinkedToEachIdP(t *testing.T) {
	onEachIdP(t, func(t *testing.T, i realIdP) {
		b := startBroker(t, "")
		p := i.connect(t, b, nil)
		operator := newPerson(t)
		in := operator.post(b.base+"/login/password", b.base, url.Values{"email": {operatorMail}, "password": {operatorPassword}})
		operator.open(in.location)
		link := func(who string) page {
			t.Helper()
			operator.atIdP = nil
			begun := operator.post(b.base+"/link/"+p.ID, b.base, nil)
			answered := operator.logIn(i, begun.onward(t), who)
			if answered.status != http.StatusSeeOther {
				t.Fatalf("got %d, want the answer to be taken:\n%s", answered.status, answered.doc.Find("main").Text())
			}
			return operator.open(answered.location)
		}

		who := i.person(t)
		linked := b.sayYes(t, operator, link(who), operatorMail)
		if linked.status != http.StatusSeeOther || !strings.Contains(linked.location, "done=linked") {
			t.Fatalf("got %d %s, want the account linked:\n%s", linked.status, linked.location, linked.doc.Find("main").Text())
		}
		one := newPerson(t)
		b.finish(t, one, one.logIn(i, one.open(p.Login).onward(t), who), "", operatorMail)

		// Whom the identity provider speaks for already stays who they are.
		other := i.person(t)
		b.signUpAndLogIn(t, i, p, other, other+"@company.test")
		got := link(other)
		if _, asked := got.doc.Find("input[name=flow]").Attr("value"); asked {
			got = b.sayYes(t, operator, got, operatorMail)
		}
		wantCode(t, got, http.StatusForbidden, "identity_linked_elsewhere")
		two := newPerson(t)
		b.finish(t, two, two.logIn(i, two.open(p.Login).onward(t), other), "", other+"@company.test")
		b.wantCleanLog(t)
	})
}
