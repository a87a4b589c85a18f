package sso_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/sso"
)

// elsewhere are the codes with which a login can end that are not rejections of
// this package.
var elsewhere = []string{
	"unknown_request", "request_expired", "request_used", "assertion_replayed", "relay_state_mismatch", "invalid_relay_state", "unsolicited_after_bounce",
	"email_missing", "email_taken", "unknown_user_sso_login_attempt", "user_deactivated", "managed_elsewhere", "own_login_required", "not_a_member",
	"identity_linked_elsewhere", "authentication_method_disabled", "authentication_failed", "login_expired", "login_in_another_browser",
	"link_in_another_session", "login_too_old", "client_ip_address_policy_violation", "user_saml_authentication_method_not_allowed",
	"user_password_authentication_method_not_allowed",
}

func TestEveryCodeHasARemedyInTheWordsOfEveryVendor(t *testing.T) {
	unknown := sso.Remedy("no_such_code", sso.Generic)
	codes := slices.Clone(elsewhere)
	for code := range sso.Codes() {
		codes = append(codes, code)
	}
	for _, code := range append(codes, "no_such_code", "") {
		for _, v := range append(slices.Clone(sso.Vendors), "another") {
			text := sso.Remedy(code, v)
			switch {
			case !strings.HasSuffix(text, "."), strings.HasSuffix(text, ".."), strings.ContainsAny(text, "!{}"), strings.Contains(text, "  "), strings.Contains(text, ", ."), strings.Count(text, `"`)%2 != 0:
				t.Errorf("%s at %s: got %q, want plain sentences", code, v, text)
			case text == unknown && slices.Contains(codes, code):
				t.Errorf("%s at %s: got the general sentence, want one of its own", code, v)
			case text[:1] != strings.ToUpper(text[:1]):
				t.Errorf("%s at %s: got %q, want a capital", code, v, text)
			}
		}
	}
}

func TestARemedyNamesTheFieldOfTheVendor(t *testing.T) {
	for _, tt := range []struct {
		code   string
		vendor sso.Vendor
		want   []string
	}{
		{"audience_mismatch", sso.Okta, []string{`"Audience URI (SP Entity ID)"`, "metadata URL"}},
		{"audience_mismatch", sso.Auth0, []string{`"audience" in the JSON`}},
		{"audience_mismatch", sso.EntraID, []string{`"Identifier (Entity ID)"`, `"Basic SAML Configuration"`}},
		{"audience_missing", sso.Google, []string{`"Entity ID"`, `"Service provider details"`}},
		{"audience_mismatch", sso.FusionAuth, []string{`"Audience" (if that is empty, "Issuer")`}},
		{"audience_mismatch", sso.JumpCloud, []string{`"SP Entity ID"`}},
		{"audience_mismatch", sso.OneLogin, []string{`"Audience (EntityID)"`}},
		{"audience_mismatch", sso.Keycloak, []string{`"Client ID"`}},
		{"audience_mismatch", sso.ADFS, []string{`"Relying party identifiers"`}},
		{"recipient_mismatch", sso.OneLogin, []string{`"ACS (Consumer) URL" and "Recipient"`, "ACS URL"}},
		{"destination_mismatch", sso.Keycloak, []string{`"Assertion Consumer Service POST Binding URL"`}},
		{"unknown_request", sso.Okta, []string{`"Single sign-on URL"`, "Start again"}},
		{"wrong_key", sso.EntraID, []string{`"Certificate (Base64)"`, `"Signing certificates" here`}},
		{"sha1_refused", sso.Auth0, []string{`"rsa-sha256"`, "a risk"}},
		{"key_too_small", sso.ADFS, []string{"Update-AdfsCertificate", "2048"}},
		{"assertion_not_signed", sso.Google, []string{`clear "Signed response"`}},
		{"encryption_unsigned", sso.Google, []string{`tick "Signed response"`}},
		{"encryption_unsigned", sso.ADFS, []string{"MessageAndAssertion"}},
		{"decryption_failed", sso.Okta, []string{`"Encryption Certificate"`, "help attackers"}},
		{"encryption_refused", sso.Okta, []string{`"AES256-GCM"`}},
		{"no_identity", sso.Keycloak, []string{`"Force name ID format"`, "transient"}},
		{"email_missing", sso.Okta, []string{`"Attribute Statements"`, "user.email", `"Email address" here`}},
		{"status_not_success", sso.EntraID, []string{"AADSTS50105", `"Users and groups"`, `"Sign-in logs"`}},
		{"issuer_mismatch", sso.OneLogin, []string{`"Issuer URL" from OneLogin`, `"Entity ID" here`}},
		{"logout_destination_mismatch", sso.EntraID, []string{`"Logout Url (Optional)"`, "single logout URL"}},
		{"no_assertion", sso.Okta, []string{`"System Log"`}},
		{"status_not_success", sso.Google, []string{"app_not_configured_for_user"}},
		{"invalid_relay_state", sso.Google, []string{`"Start URL (optional)"`}},
		{"relay_state_mismatch", sso.Okta, []string{`"Default RelayState"`, "empty"}},
		{"response_too_large", sso.EntraID, []string{`"Groups assigned to the application"`}},
		{"expired", sso.Okta, []string{"clock of this server", "NTP"}},
		{"expired", sso.Keycloak, []string{"the clocks of the identity provider and of this server"}},
		{"not_yet_valid", sso.ADFS, []string{"-NotBeforeSkew"}},
		{"no_authn_statement", sso.Keycloak, []string{`"Include AuthnStatement"`}},
	} {
		t.Run(tt.code+" at "+string(tt.vendor), func(t *testing.T) {
			got := sso.Remedy(tt.code, tt.vendor)
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want it to say %q", got, want)
				}
			}
		})
	}
}

// A vendor that has no setting for something gets what holds for all.
func TestWhereAVendorHasNoSettingTheRemedyIsTheGeneralOne(t *testing.T) {
	if got, want := sso.Remedy("encryption_refused", sso.Google), sso.Codes()["encryption_refused"][1]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := sso.Remedy("relay_state_mismatch", sso.ADFS), sso.Remedy("relay_state_mismatch", sso.Generic); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for code, f := range sso.Codes() {
		if got := sso.Remedy(code, sso.Generic); got != f[1] {
			t.Errorf("%s: got %q, want %q", code, got, f[1])
		}
	}
}

func TestVendorsHaveWireValuesAndNames(t *testing.T) {
	wire, seen := regexp.MustCompile(`^[a-z0-9]+(_[a-z]+)?$`), map[string]bool{}
	for _, v := range sso.Vendors {
		if !wire.MatchString(string(v)) || v.Name() == "" || seen[v.Name()] {
			t.Errorf("got vendor %q with the name %q, want a wire value and a name of its own", v, v.Name())
		}
		seen[v.Name()] = true
	}
	if len(sso.Vendors) != 10 || sso.Vendors[9] != sso.Generic {
		t.Errorf("got %v, want ten, the general one last", sso.Vendors)
	}
}

// Each topic of each vendor has a place with words, but for those of which it
// has none: they are listed here, so that none is forgotten.
func TestVendorsHaveWordsForEveryTopic(t *testing.T) {
	none := map[sso.Vendor][]string{
		sso.Google: {"algorithm", "encryption", "cipher", "logout"}, sso.JumpCloud: {"encryption", "cipher"},
		sso.EntraID: {"cipher"}, sso.ADFS: {"cipher"},
	}
	for _, v := range sso.Vendors[:9] {
		for _, topic := range sso.Topics {
			where, field, do, there := sso.Words(v, topic.Name)
			switch {
			case slices.Contains(none[v], topic.Name):
				if there {
					t.Errorf("%s: got a place for %s, want none", v, topic.Name)
				}
			case where == "" || field == "" || topic.Do && do == "":
				t.Errorf("%s, %s: got place %q, field %q, to do %q, want words", v, topic.Name, where, field, do)
			case !topic.Do && do != "" && topic.Name != "relay":
				t.Errorf("%s, %s: got %q to do, which nobody shows", v, topic.Name, do)
			}
		}
	}
}
