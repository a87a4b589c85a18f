package login_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/sso"
)

// A setUp is how two administrators, one there and one here, got it wrong.
type setUp struct {
	name string

	here    func(w *world)                      // what is set here, or at the identity provider's own
	there   func(w *world, r *demoidp.Response) // what the identity provider says
	carried func(w *world, form url.Values)     // what comes of it on the way
	person  func(u *demoidp.User)               // who logs in, if not Alice
	begun   sso.Purpose                         // what for; zero: to log in
	atIdP   bool                                // it starts at the identity provider

	code    string   // with which it is refused; empty: it is let in
	fails   []string // the checks
	warning string   // part of one

	// fields are what the remedy names, by whose words it has.
	fields map[sso.Vendor]string
}

// fieldsOf are the names of what is set wrongly, as the consoles have them.
var (
	audienceFields = map[sso.Vendor]string{
		sso.Okta: `"Audience URI (SP Entity ID)"`, sso.EntraID: `"Identifier (Entity ID)"`, sso.Keycloak: `"Client ID"`, sso.Generic: "service provider entity ID",
	}
	acsFields = map[sso.Vendor]string{
		sso.Okta: `"Single sign-on URL"`, sso.EntraID: `"Reply URL (Assertion Consumer Service URL)"`, sso.OneLogin: `"ACS (Consumer) URL" and "Recipient"`, sso.Generic: "ACS URL",
	}
	certificateFields = map[sso.Vendor]string{
		sso.Okta: `certificate whose status is "Active"`, sso.EntraID: `"Certificate (Base64)"`, sso.ADFS: `"Token-signing"`, sso.Generic: "signing certificate",
	}
	clockFields = map[sso.Vendor]string{
		sso.Okta: "clock of this server", sso.Keycloak: "clocks of the identity provider and of this server", sso.Generic: "NTP",
	}
	nameFields = map[sso.Vendor]string{
		sso.Okta: `"Name ID format"`, sso.EntraID: `"Unique User Identifier (Name ID)"`, sso.Google: `"Name ID"`, sso.Generic: "NameID",
	}
	emailFields = map[sso.Vendor]string{
		sso.Okta: `"Attribute Statements"`, sso.EntraID: "claim emailaddress", sso.ADFS: `"E-Mail-Addresses"`, sso.Generic: "email address as an attribute",
	}
	algorithmFields = map[sso.Vendor]string{
		sso.Okta: `"Digest Algorithm"`, sso.EntraID: `"Signing Algorithm"`, sso.ADFS: `"Secure hash algorithm"`, sso.Generic: "SHA-256",
	}
	encryptionFields = map[sso.Vendor]string{
		sso.Okta: `"Encryption Certificate"`, sso.FusionAuth: `"Key transport encryption certificate"`, sso.Keycloak: `"Encryption keys config"`, sso.Generic: "certificate in this method's present metadata",
	}
	relayFields = map[sso.Vendor]string{
		sso.Okta: `"Default RelayState"`, sso.Google: `"Start URL (optional)"`, sso.Generic: "relay state",
	}
	signingFields = map[sso.Vendor]string{
		sso.Okta: `"Assertion Signature"`, sso.EntraID: `"Signing Option"`, sso.Google: `"Signed response"`, sso.Generic: "sign",
	}
	groupFields = map[sso.Vendor]string{
		sso.Okta: `"Group Attribute Statements"`, sso.EntraID: `"Add a group claim"`, sso.Google: `"Group membership (optional)"`, sso.Generic: "groups",
	}
	peopleFields = map[sso.Vendor]string{
		sso.Okta: `"Assignments" tab`, sso.EntraID: `"Users and groups" page`, sso.JumpCloud: `"User Groups" tab`, sso.Generic: "assigned to this application",
	}
)

const elsewhere = "https://old.acme.test/saml/acs"

var setUps = []setUp{
	// Who it is for, and where it goes.
	{name: "the audience of another service", code: "audience_mismatch", fails: []string{"audience"}, fields: audienceFields,
		there: func(_ *world, r *demoidp.Response) { r.Audiences = []string{"https://console.elsewhere.test"} }},
	{name: "an audience with a slash too many", code: "audience_mismatch", fails: []string{"audience"}, fields: audienceFields,
		there: func(_ *world, r *demoidp.Response) { r.Audiences[0] += "/" }},
	{name: "the ACS URL as the audience", code: "audience_mismatch", fails: []string{"audience"}, fields: audienceFields,
		there: func(w *world, r *demoidp.Response) { r.Audiences = []string{w.sso.ACSURL()} }},
	{name: "no audience", code: "audience_missing", fails: []string{"audience"}, fields: audienceFields,
		there: func(_ *world, r *demoidp.Response) { r.Audiences = nil }},
	{name: "a name that is qualified for another service", code: "name_qualifier_mismatch", fails: []string{"name_id"}, fields: audienceFields,
		there: func(_ *world, r *demoidp.Response) { r.Subject.SPNameQualifier = "https://console.elsewhere.test" }},
	{name: "the ACS URL of the old host", code: "destination_mismatch", fails: []string{"destination", "recipient"}, fields: acsFields,
		there: func(_ *world, r *demoidp.Response) { r.Destination, r.Confirmation.Recipient = elsewhere, elsewhere }},
	{name: "another recipient", code: "recipient_mismatch", fails: []string{"recipient"}, fields: acsFields,
		there: func(_ *world, r *demoidp.Response) { r.Confirmation.Recipient = elsewhere }},
	{name: "another destination", code: "destination_mismatch", fails: []string{"destination"}, fields: acsFields,
		there: func(_ *world, r *demoidp.Response) { r.Destination = elsewhere }},
	{name: "no recipient", code: "confirmation_invalid", fails: []string{"recipient"}, fields: map[sso.Vendor]string{sso.Generic: "Recipient"},
		there: func(_ *world, r *demoidp.Response) { r.Confirmation.Recipient = "" }},
	{name: "answers to another application", code: "unknown_request", fails: []string{"request"}, fields: acsFields,
		there: func(_ *world, r *demoidp.Response) {
			r.InResponseTo, r.Confirmation.InResponseTo = "_theirs", "_theirs"
		}},
	{name: "no request named in the confirmation", code: "in_response_to_mismatch", fails: []string{"in_response_to"}, fields: map[sso.Vendor]string{sso.Generic: "InResponseTo"},
		there: func(_ *world, r *demoidp.Response) { r.Confirmation.InResponseTo = "" }},

	// Who it is from.
	{name: "an entity ID with a slash too many here", code: "issuer_mismatch", fails: []string{"response_issuer", "issuer"},
		fields: map[sso.Vendor]string{sso.OneLogin: `"Issuer URL" from OneLogin into "Entity ID" here`, sso.EntraID: `"Microsoft Entra Identifier"`, sso.Keycloak: "entityID", sso.Generic: "entity ID here"},
		here:   func(w *world) { id := w.sso.EntityID + "/"; w.change(sso.Change{EntityID: &id}) }},
	{name: "the old certificate here", code: "wrong_key", fails: []string{"signature"}, fields: certificateFields,
		here: func(w *world) {
			other, err := demoidp.New("https://idp.acme.test")
			must(w.t, err)
			w.idp.Key, w.idp.Certificate = other.Key, other.Certificate
		}},
	{name: "the certificate of another application here", code: "wrong_key", fails: []string{"signature"}, fields: certificateFields,
		here: func(w *world) {
			other, err := demoidp.New("https://idp.other.test")
			must(w.t, err)
			certificate := other.CertificatePEM()
			w.change(sso.Change{Certificates: &certificate})
		}},
	{name: "a certificate here that is over", warning: "certificate", fails: nil,
		here: func(w *world) { w.pass(11 * 365 * 24 * time.Hour) }},

	// When.
	{name: "a clock ten minutes ahead", code: "issued_in_future", fails: []string{"response_time", "assertion_time", "validity"}, fields: clockFields,
		here: func(w *world) { w.idp.Now = func() time.Time { return w.now().Add(10 * time.Minute) } }},
	{name: "a clock twenty minutes behind", code: "issued_too_long_ago", fails: []string{"response_time", "assertion_time", "validity", "confirmation_validity"}, fields: clockFields,
		here: func(w *world) { w.idp.Now = func() time.Time { return w.now().Add(-20 * time.Minute) } }},
	{name: "assertions that begin in the future", code: "not_yet_valid", fails: []string{"validity"}, fields: map[sso.Vendor]string{sso.ADFS: "-NotBeforeSkew", sso.EntraID: "clock of this server", sso.Generic: "clocks"},
		there: func(w *world, r *demoidp.Response) { r.NotBefore = w.now().Add(3 * time.Minute) }},
	{name: "assertions that last too short", code: "expired", fails: []string{"validity", "confirmation_validity"}, fields: clockFields,
		there: func(w *world, r *demoidp.Response) {
			r.NotOnOrAfter, r.Confirmation.NotOnOrAfter = w.now().Add(-2*time.Minute), w.now().Add(-2*time.Minute)
		}},
	{name: "a login page that was left open", code: "request_expired", fails: []string{"request"}, fields: map[sso.Vendor]string{sso.Okta: "Start again", sso.Generic: "Start again"},
		there: func(w *world, r *demoidp.Response) {
			w.pass(12 * time.Minute)
			for _, at := range []*time.Time{&r.IssuedAt, &r.NotBefore, &r.NotOnOrAfter, &r.Confirmation.NotOnOrAfter} {
				*at = at.Add(12 * time.Minute)
			}
		}},
	{name: "a session there that is over", code: "session_ended", fails: []string{"authentication"}, fields: map[sso.Vendor]string{sso.Generic: "Log in at the identity provider again"},
		there: func(w *world, r *demoidp.Response) { r.SessionEnds = w.now().Add(-time.Hour) }},

	// How it is signed and encrypted.
	{name: "signatures by SHA-1", code: "sha1_refused", fails: []string{"signature"}, fields: algorithmFields,
		there: func(_ *world, r *demoidp.Response) { r.SignatureHash, r.DigestHash = crypto.SHA1, crypto.SHA1 }},
	{name: "digests by SHA-1", code: "sha1_refused", fails: []string{"signature"}, fields: algorithmFields,
		there: func(_ *world, r *demoidp.Response) { r.DigestHash = crypto.SHA1 }},
	{name: "signatures by SHA-1 that are admitted", warning: "SHA-1",
		here:  func(w *world) { yes := true; w.change(sso.Change{AllowSHA1: &yes}) },
		there: func(_ *world, r *demoidp.Response) { r.SignatureHash, r.DigestHash = crypto.SHA1, crypto.SHA1 }},
	{name: "nothing signed", code: "not_signed", fails: []string{"signature"}, fields: signingFields,
		there: func(_ *world, r *demoidp.Response) { r.Sign = demoidp.SignNone }},
	{name: "the response signed, where the assertion has to be", code: "assertion_not_signed", fails: []string{"signature"}, fields: signingFields,
		here:  func(w *world) { yes := true; w.change(sso.Change{WantAssertionSigned: &yes}) },
		there: func(_ *world, r *demoidp.Response) { r.Sign = demoidp.SignResponse }},
	{name: "a gateway that rewrites what passes", code: "content_changed", fails: []string{"signature"}, fields: map[sso.Vendor]string{sso.Generic: "rewrites the response"},
		there: func(_ *world, r *demoidp.Response) {
			r.Tamper = func(d string) string { return strings.ReplaceAll(d, "alice@acme.test", "alice@acme.example") }
		}},
	{name: "a gateway that cuts what passes", code: "xml_malformed", fails: []string{"document"}, fields: map[sso.Vendor]string{sso.Generic: "rewrites or cuts"},
		there: func(_ *world, r *demoidp.Response) {
			r.Tamper = func(d string) string { return d[:len(d)-100] }
		}},
	{name: "encrypted to our old key", code: "decryption_failed", fails: []string{"encryption"}, fields: encryptionFields,
		here: func(w *world) {
			old := w.encryptionCertificate()
			_, err := w.idps.PrepareKey(w.t.Context(), w.admin, w.acme, w.sso.ID, sso.NewKey{Type: sso.RSA2048})
			must(w.t, err)
			_, err = w.idps.SwitchKey(w.t.Context(), w.admin, w.acme, w.sso.ID, 0)
			must(w.t, err)
			w.idp.Misbehave = func(r *demoidp.Response) { r.Encrypt = &demoidp.Encryption{To: old} }
		}},
	{name: "encrypted to another service's key", code: "decryption_failed", fails: []string{"encryption"}, fields: encryptionFields,
		there: func(w *world, r *demoidp.Response) { r.Encrypt = &demoidp.Encryption{To: w.idp.Certificate} }},
	{name: "encrypted by CBC and not signed outside", code: "encryption_unsigned", fails: []string{"encryption"},
		fields: map[sso.Vendor]string{sso.EntraID: `"Signing Option"`, sso.ADFS: "MessageAndAssertion", sso.Google: `"Signed response"`, sso.Generic: "sign the response too"},
		there: func(w *world, r *demoidp.Response) {
			r.Sign, r.Encrypt = demoidp.SignAssertion, &demoidp.Encryption{To: w.encryptionCertificate(), CBC: true}
		}},
	{name: "encrypted by triple DES", code: "encryption_refused", fails: []string{"encryption"},
		fields: map[sso.Vendor]string{sso.Okta: `"Encryption Algorithm"`, sso.Keycloak: `"Encryption Algorithm"`, sso.OneLogin: `"SAML encryption method"`, sso.Generic: "AES-GCM"},
		there: func(w *world, r *demoidp.Response) {
			r.Sign, r.Encrypt = demoidp.SignAssertion, &demoidp.Encryption{To: w.encryptionCertificate()}
			r.Tamper = func(d string) string {
				return strings.Replace(d, "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", 1)
			}
		}},

	// Whom it names.
	{name: "a person who is not assigned", code: "status_not_success", fails: []string{"status"}, fields: peopleFields,
		there: func(_ *world, r *demoidp.Response) {
			r.Status, r.SubStatus, r.StatusMessage = demoidp.Responder, demoidp.AuthnFailed, "The user is not assigned to this application."
		}},
	{name: "a transient NameID and nothing mapped", code: "no_identity", fails: []string{"attributes"}, fields: nameFields,
		here: func(w *world) { w.change(sso.Change{Mapping: &sso.Mapping{}}) },
		there: func(_ *world, r *demoidp.Response) {
			r.Subject = demoidp.NameID{Value: "_once", Format: demoidp.Transient}
		}},
	{name: "an identity mapped to what is not sent", code: "no_identity", fails: []string{"attributes"}, fields: map[sso.Vendor]string{sso.Okta: "map the identity attribute here", sso.Keycloak: "map the identity attribute here", sso.Generic: "map the identity attribute here"},
		here: func(w *world) { w.change(sso.Change{Mapping: &sso.Mapping{Identity: "employeeNumber"}}) }},
	{name: "no NameID", code: "name_id_missing", fails: []string{"name_id"}, fields: nameFields,
		there: func(_ *world, r *demoidp.Response) { r.Subject = demoidp.NameID{} }},
	{name: "a NameID of a field that the person does not have", code: "name_id_missing", fails: []string{"name_id"}, fields: nameFields,
		there: func(_ *world, r *demoidp.Response) {
			name := r.Subject.Value
			r.Alter = func(a string) string { return strings.Replace(a, ">"+name+"</saml:NameID>", "></saml:NameID>", 1) }
		}},
	{name: "a NameID whose format is encrypted", code: "name_id_encrypted", fails: []string{"name_id"}, fields: nameFields,
		there: func(_ *world, r *demoidp.Response) {
			r.Subject.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
		}},
	{name: "the address not mapped", code: "email_missing", fails: []string{"account"}, fields: emailFields, begun: sso.ToSignup, person: stranger,
		there: func(_ *world, r *demoidp.Response) {
			r.Subject.Value, r.Subject.Format = "zoe", demoidp.Persistent
			drop(r, "email")
		}},
	{name: "the address under a name of their own", code: "email_missing", fails: []string{"account"}, fields: emailFields, begun: sso.ToSignup, person: stranger,
		there: func(_ *world, r *demoidp.Response) {
			r.Subject.Value, r.Subject.Format = "zoe", demoidp.Persistent
			drop(r, "email")
			r.Attributes = append(r.Attributes, demoidp.Attribute{Name: "urn:acme:workContact", Values: []string{"zoe@acme.test"}})
		}},
	{name: "two addresses in one attribute", code: "attribute_conflict", fails: []string{"attributes"},
		fields: map[sso.Vendor]string{sso.Okta: `"Attribute Statements"`, sso.ADFS: `"Send LDAP Attributes as Claims"`, sso.Generic: "one value"},
		there: func(_ *world, r *demoidp.Response) {
			drop(r, "email")
			r.Attributes = append(r.Attributes, demoidp.Attribute{Name: "email", Values: []string{"alice@acme.test", "alice@acme.example"}})
		}},
	{name: "the username in the attribute of the address", warning: "email",
		there: func(_ *world, r *demoidp.Response) {
			drop(r, "email")
			r.Attributes = append(r.Attributes, demoidp.Attribute{Name: "email", Values: []string{"alice"}})
		}},
	{name: "every group of the directory", code: "response_too_large", fails: []string{"document"}, fields: groupFields,
		there: func(_ *world, r *demoidp.Response) { r.Size = 300 << 10 }},

	// How the person logged in there.
	{name: "no statement of the login", code: "no_authn_statement", fails: []string{"authentication"}, fields: map[sso.Vendor]string{sso.Keycloak: `"Include AuthnStatement"`, sso.Generic: "AuthnStatement"},
		there: func(_ *world, r *demoidp.Response) { r.AuthnAt = time.Time{} }},
	{name: "a new login asked for and not honoured", code: "authn_not_fresh", fails: []string{"fresh_login"}, fields: map[sso.Vendor]string{sso.Okta: `"Honor Force Authentication"`, sso.Generic: "ForceAuthn"},
		here:  func(w *world) { yes := true; w.change(sso.Change{ForceAuthn: &yes}) },
		there: func(w *world, r *demoidp.Response) { r.AuthnAt = w.now().Add(-2 * time.Hour) }},
	{name: "a kind of login asked for and not named", code: "authn_context_insufficient", fails: []string{"login_context"},
		fields: map[sso.Vendor]string{sso.Okta: `"Authentication context class"`, sso.Auth0: `"authnContextClassRef"`, sso.Generic: "AuthnContextClassRef"},
		here:   func(w *world) { yes := true; w.change(sso.Change{RequestAuthnContext: &yes}) },
		there: func(_ *world, r *demoidp.Response) {
			r.AuthnContext = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
		}},
	{name: "a confirmation that is not for browsers", code: "no_bearer", fails: []string{"confirmation"}, fields: map[sso.Vendor]string{sso.Generic: "bearer"},
		there: func(_ *world, r *demoidp.Response) {
			r.Confirmation.Method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
		}},

	// How the login began, and what is spoken.
	{name: "started at the identity provider, which is off", code: "invalid_relay_state", fails: []string{"request"}, atIdP: true, fields: relayFields},
	{name: "a default relay state in every answer", code: "relay_state_mismatch", fails: []string{"relay_state"}, fields: map[sso.Vendor]string{sso.Okta: `"Default RelayState"`, sso.OneLogin: `"RelayState"`, sso.Generic: "default relay state"},
		carried: func(_ *world, form url.Values) { form.Set("RelayState", "https://portal.acme.test/apps") }},
	{name: "WS-Federation", code: "not_a_response", fails: []string{"document"}, fields: map[sso.Vendor]string{sso.Auth0: `"SAML2 Web App"`, sso.ADFS: "SAML Assertion Consumer endpoint", sso.Generic: "WS-Federation"},
		there: func(_ *world, r *demoidp.Response) {
			r.Tamper = func(string) string {
				return `<t:RequestSecurityTokenResponse xmlns:t="http://schemas.xmlsoap.org/ws/2005/02/trust"></t:RequestSecurityTokenResponse>`
			}
		}},

	// The account here.
	{name: "nobody linked to the person", code: "unknown_user_sso_login_attempt", fails: []string{"account"}, person: stranger,
		fields: map[sso.Vendor]string{sso.Okta: "signup link", sso.Generic: "account link"}},
	{name: "a person with an account of their own", code: "email_taken", fails: []string{"account"}, begun: sso.ToSignup, fields: map[sso.Vendor]string{sso.Okta: "account link", sso.Generic: "account link"},
		person: func(u *demoidp.User) { u.Username, u.Email = "admin", "admin@acme.test" }},
	{name: "a deactivated account", code: "user_deactivated", fails: []string{"account"}, fields: map[sso.Vendor]string{sso.Okta: "make it active", sso.Generic: "make it active"},
		here: func(w *world) {
			gone := account.User{ID: ident.New("u"), Email: "gone@acme.test", RealName: "Gone", State: account.DeactivatedUser, CreatedAt: w.now(), UpdatedAt: w.now()}
			must(w.t, w.db.AddUser(w.t.Context(), gone, ""))
			w.linkTo(w.sso, "gone", gone)
		},
		person: func(u *demoidp.User) { u.Username, u.Email = "gone", "gone@acme.test" }},

	// Several at once: each is told, not only the first.
	{name: "three things wrong at once", code: "destination_mismatch", fails: []string{"destination", "audience", "recipient", "fresh_login"}, fields: acsFields,
		here: func(w *world) { yes := true; w.change(sso.Change{ForceAuthn: &yes}) },
		there: func(w *world, r *demoidp.Response) {
			r.Destination, r.Confirmation.Recipient = elsewhere, elsewhere
			r.Audiences = []string{"https://console.elsewhere.test"}
			r.AuthnAt = w.now().Add(-2 * time.Hour)
		}},
	{name: "another key, another audience and another clock", code: "wrong_key", fails: []string{"signature", "response_time", "assertion_time", "validity", "audience"}, fields: certificateFields,
		here: func(w *world) {
			other, err := demoidp.New("https://idp.acme.test")
			must(w.t, err)
			w.idp.Key = other.Key
			w.idp.Now = func() time.Time { return w.now().Add(10 * time.Minute) }
		},
		there: func(_ *world, r *demoidp.Response) { r.Audiences = []string{"https://console.elsewhere.test"} }},
}

func stranger(u *demoidp.User) {
	u.Username, u.Email, u.FirstName, u.LastName = "zoe", "zoe@acme.test", "Zoe", "Zander"
}

// drop leaves out an attribute.
func drop(r *demoidp.Response, name string) {
	r.Attributes = slices.DeleteFunc(slices.Clone(r.Attributes), func(a demoidp.Attribute) bool { return a.Name == name })
}

// change sets something of Acme's identity provider, as its administrator does.
func (w *world) change(c sso.Change) {
	w.t.Helper()
	_, err := w.idps.Update(w.t.Context(), w.admin, w.acme, w.sso.ID, c)
	must(w.t, err)
}

// encryptionCertificate is the one that our metadata has now.
func (w *world) encryptionCertificate() *x509.Certificate {
	w.t.Helper()
	i, err := w.idps.Get(w.t.Context(), w.acme, w.sso.ID)
	must(w.t, err)
	for _, c := range i.SPCertificates(w.now()) {
		if c.State == sso.KeyPresent && c.Encrypts {
			cert, err := x509.ParseCertificate(c.DER)
			must(w.t, err)
			return cert
		}
	}
	w.t.Fatal("our metadata has no certificate to encrypt to")
	return nil
}

// attempt is a whole login by a set-up; it gives the error with which it ends.
func (w *world) attempt(s setUp) error {
	w.t.Helper()
	if s.here != nil {
		s.here(w)
	}
	if s.there != nil {
		w.idp.Misbehave = func(r *demoidp.Response) { s.there(w, r) }
	}
	who := w.alice
	if s.person != nil {
		s.person(&who)
	}
	purpose, b := s.begun, browser()
	if purpose == 0 {
		purpose = sso.ToLogin
	}
	var form url.Values
	if s.atIdP {
		var err error
		_, form, err = w.idp.Start(w.sso.MetadataURL(), "", who)
		must(w.t, err)
	} else {
		form = w.answer(w.start(purpose, b), who)
	}
	if s.carried != nil {
		s.carried(w, form)
	}
	flow, err := w.post(form)
	if err != nil {
		return err
	}
	_, err = w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client})
	return err
}

func TestEachBrokenSetUpLeavesATraceWhoseRemedyNamesTheField(t *testing.T) {
	refused := 0
	for _, s := range setUps {
		if s.code != "" {
			refused++
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			err := w.attempt(s)
			list := w.traces()
			if len(list) != 1 {
				t.Fatalf("got %d traces, want one of one attempt (%v)", len(list), err)
			}
			told := w.told(list[0].ID)
			if s.code == "" {
				w.letIn(s, told, err)
				return
			}
			var traced *login.Traced
			if !errors.As(err, &traced) || traced.Words != told.Words {
				t.Errorf("got the error %v, want one with the words %s", err, told.Words)
			}
			if told.Outcome != login.TraceRefused || told.Code != s.code || told.Story.Message == "" {
				t.Errorf("got %s %s (%q), want it refused by %s", told.Outcome, told.Code, told.Story.Message, s.code)
			}
			if got := failing(told.Story.Report); !cmp.Equal(got, s.fails) {
				t.Errorf("got the failures %v, want %v", got, s.fails)
			}
			if len(s.fields) == 0 || s.fields[sso.Generic] == "" {
				t.Error("the table names no field")
			}
			for v, field := range s.fields {
				if got := sso.Remedy(told.Code, v); !strings.Contains(got, field) {
					t.Errorf("at %s: got the remedy %q, want it to name %s", v, got, field)
				}
			}
		})
	}
	if refused < 30 {
		t.Errorf("got %d set-ups that are refused, want thirty at least", refused)
	}
}

// letIn holds a set-up that is admitted to its warning.
func (w *world) letIn(s setUp, told login.Told, err error) {
	w.t.Helper()
	must(w.t, err)
	if told.Outcome != login.TraceLoggedIn || told.Code != "" || len(failing(told.Story.Report)) > 0 {
		w.t.Errorf("got %s %s with the failures %v, want a login", told.Outcome, told.Code, failing(told.Story.Report))
	}
	if got := told.Story.Report.Warnings; len(got) != 1 || !strings.Contains(got[0], s.warning) {
		w.t.Errorf("got the warnings %q, want one of %s", got, s.warning)
	}
}

func failing(r *sso.Report) (rules []string) {
	for _, j := range r.Failures() {
		rules = append(rules, j.Rule)
	}
	return rules
}

// What the broken set-ups change is right otherwise.
func TestWhatIsSetUpRightLeavesATraceWithoutFailures(t *testing.T) {
	for _, s := range []setUp{
		{name: "as it comes"},
		{name: "a transient NameID and a mapped identity", there: func(_ *world, r *demoidp.Response) {
			r.Subject = demoidp.NameID{Value: "_once", Format: demoidp.Transient}
		}},
		{name: "encrypted by GCM", there: func(w *world, r *demoidp.Response) {
			r.Sign, r.Encrypt = demoidp.SignAssertion, &demoidp.Encryption{To: w.encryptionCertificate()}
		}},
		{name: "encrypted by CBC in a signed response", there: func(w *world, r *demoidp.Response) {
			r.Encrypt = &demoidp.Encryption{To: w.encryptionCertificate(), CBC: true}
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.attempt(s))
			told := w.told(w.traces()[0].ID)
			if told.Outcome != login.TraceLoggedIn || len(failing(told.Story.Report)) > 0 || len(told.Story.Report.Warnings) > 0 {
				t.Errorf("got %s with the failures %v and the warnings %q, want a login", told.Outcome, failing(told.Story.Report), told.Story.Report.Warnings)
			}
		})
	}
}

// The words are those of the product that the identity provider seems to be.
func TestATraceSpeaksTheLanguageOfItsIdentityProvider(t *testing.T) {
	w := newWorld(t)
	id := "http://www.okta.com/exk1a2b3c4d5"
	w.change(sso.Change{EntityID: &id})
	w.idp.EntityID = id
	err := w.attempt(setUps[0])
	told := w.told(words(t, err))
	v, err := w.Traces.Vendor(t.Context(), w.acme, told)
	if err != nil || v != sso.Okta || told.Code != "audience_mismatch" {
		t.Errorf("got %s at %s, %v, want audience_mismatch at Okta", told.Code, v, err)
	}
}
