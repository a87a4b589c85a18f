package sso_test

import (
	"strings"
	"testing"

	"gatehouse/sso"
)

func TestAVendorIsGuessedFromAddressesAndShape(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hints sso.Hints
		want  sso.Vendor
	}{
		{"Okta's issuer", sso.Hints{EntityID: "http://www.okta.com/exk1fcia6d6EMsf331d8"}, sso.Okta},
		{"Okta's SSO URL", sso.Hints{SSOURL: "https://company.okta.com/app/company_gatehouse_1/exk1fcia6d6EMsf331d8/sso/saml"}, sso.Okta},
		{"Okta's preview", sso.Hints{SSOURL: "https://company.oktapreview.com/app/x/exk1/sso/saml"}, sso.Okta},
		{"Okta on a domain of the customer", sso.Hints{EntityID: "our-okta", SSOURL: "https://login.company.com/app/company_gatehouse_1/exk1fcia6d6EMsf331d8/sso/saml"}, sso.Okta},
		{"Okta's IDs", sso.Hints{EntityID: "our-idp", ID: "id137567472349832091234567890"}, sso.Okta},
		{"Auth0's issuer", sso.Hints{EntityID: "urn:company.auth0.com"}, sso.Auth0},
		{"Auth0's issuer with a region", sso.Hints{EntityID: "urn:company.eu.auth0.com"}, sso.Auth0},
		{"Auth0 on a domain of the customer", sso.Hints{EntityID: "urn:company", SSOURL: "https://login.company.com/samlp/h2Qw9JXzN0"}, sso.Auth0},
		{"Auth0's attributes", sso.Hints{Attributes: []string{"email", "http://schemas.auth0.com/clientID"}}, sso.Auth0},
		{"Entra ID's issuer", sso.Hints{EntityID: "https://sts.windows.net/0f7b1f0e-4d5c-4f1e-9d2c-9f3f0a1b2c3d/"}, sso.EntraID},
		{"Entra ID's SSO URL", sso.Hints{SSOURL: "https://login.microsoftonline.com/0f7b1f0e-4d5c-4f1e-9d2c-9f3f0a1b2c3d/saml2"}, sso.EntraID},
		{"Entra ID in China", sso.Hints{SSOURL: "https://login.partner.microsoftonline.cn/0f7b1f0e-4d5c-4f1e-9d2c-9f3f0a1b2c3d/saml2"}, sso.EntraID},
		{"Entra ID's attributes", sso.Hints{Attributes: []string{"http://schemas.microsoft.com/identity/claims/tenantid"}}, sso.EntraID},
		{"Google's issuer", sso.Hints{EntityID: "https://accounts.google.com/o/saml2?idpid=C01abcdef"}, sso.Google},
		{"Google's SSO URL", sso.Hints{SSOURL: "https://accounts.google.com/o/saml2/idp?idpid=C01abcdef"}, sso.Google},
		{"FusionAuth's issuer", sso.Hints{EntityID: "https://auth.company.com/samlv2/6c8d9e2a-35ee-4f39-9e9e-3c3b1f0a2b4d"}, sso.FusionAuth},
		{"FusionAuth's cloud", sso.Hints{SSOURL: "https://company.fusionauth.io/samlv2/login/6c8d9e2a-35ee-4f39-9e9e-3c3b1f0a2b4d"}, sso.FusionAuth},
		{"JumpCloud's SSO URL", sso.Hints{EntityID: "company-idp", SSOURL: "https://sso.jumpcloud.com/saml2/gatehouse"}, sso.JumpCloud},
		{"JumpCloud's entity ID of its guides", sso.Hints{EntityID: "JumpCloud"}, sso.JumpCloud},
		{"OneLogin's issuer", sso.Hints{EntityID: "https://app.onelogin.com/saml/metadata/8a5e2f5c-4b53-4b52-a1a5-1a9c6b8d2f10"}, sso.OneLogin},
		{"OneLogin's SSO URL", sso.Hints{SSOURL: "https://company.onelogin.com/trust/saml2/http-post/sso/8a5e2f5c"}, sso.OneLogin},
		{"Keycloak's issuer", sso.Hints{EntityID: "https://id.company.com/realms/staff"}, sso.Keycloak},
		{"Keycloak's issuer of old", sso.Hints{EntityID: "https://id.company.com/auth/realms/staff"}, sso.Keycloak},
		{"Keycloak's SSO URL", sso.Hints{EntityID: "staff", SSOURL: "http://localhost:8080/realms/staff/protocol/saml"}, sso.Keycloak},
		{"Keycloak's IDs", sso.Hints{ID: "ID_5f0c8c5e-44d3-4a64-b2b2-3f7d1b9c0a11"}, sso.Keycloak},
		{"AD FS's issuer", sso.Hints{EntityID: "http://fs.company.com/adfs/services/trust"}, sso.ADFS},
		{"AD FS's SSO URL", sso.Hints{SSOURL: "https://fs.company.com/adfs/ls/"}, sso.ADFS},
		{"AD FS's shape", sso.Hints{ID: "_5f0c8c5e-44d3-4a64-b2b2-3f7d1b9c0a11", Attributes: []string{"http://schemas.xmlsoap.org/claims/Group"}}, sso.ADFS},

		{"nothing", sso.Hints{}, sso.Generic},
		{"SimpleSAMLphp", sso.Hints{EntityID: "https://idp.company.com/simplesaml/saml2/idp/metadata.php"}, sso.Generic},
		{"Shibboleth", sso.Hints{EntityID: "https://idp.company.edu/idp/shibboleth", SSOURL: "https://idp.company.edu/idp/profile/SAML2/Redirect/SSO"}, sso.Generic},
		{"a host that only looks so", sso.Hints{EntityID: "https://okta.com.company.com/x"}, sso.Generic},
		{"a host that only ends so", sso.Hints{EntityID: "https://notokta.com/x"}, sso.Generic},
		{"a vendor in a query", sso.Hints{EntityID: "https://idp.company.com/?from=accounts.google.com"}, sso.Generic},
		{"no address", sso.Hints{EntityID: "%zz", SSOURL: "://", Issuer: strings.Repeat("https://www.okta.com/", 200)}, sso.Generic},
		{"an ID of both products from Microsoft", sso.Hints{ID: "_5f0c8c5e-44d3-4a64-b2b2-3f7d1b9c0a11"}, sso.Generic},

		{"the settings before the response", sso.Hints{EntityID: "https://id.company.com/realms/staff", Issuer: "http://www.okta.com/exk1"}, sso.Keycloak},
		{"the issuer before the shape", sso.Hints{Issuer: "http://www.okta.com/exk1", Attributes: []string{"http://schemas.microsoft.com/identity/claims/tenantid"}}, sso.Okta},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sso.GuessVendor(tt.hints); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAReportTellsTheVendor(t *testing.T) {
	r := &sso.Report{Issuer: "urn:unknown", Attributes: map[string][]string{"http://schemas.microsoft.com/identity/claims/tenantid": {"x"}}}
	if got := r.Vendor(nil); got != sso.EntraID {
		t.Errorf("without settings: got %q, want %q", got, sso.EntraID)
	}
	i := &sso.IdP{}
	i.SSOURL = "https://company.onelogin.com/trust/saml2/http-post/sso/1"
	if got := r.Vendor(i); got != sso.OneLogin {
		t.Errorf("with settings: got %q, want %q", got, sso.OneLogin)
	}
}
