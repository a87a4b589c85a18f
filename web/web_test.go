package web

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestEveryTemplateFitsItsStruct(t *testing.T) {
	pages := map[string]any{
		"audit":            &auditPage{},
		"authorize":        &authorizePage{},
		"device":           &devicePage{},
		"device-confirm":   &deviceConfirmPage{},
		"device-done":      &deviceDonePage{},
		"domain":           &domainPage{},
		"domain-new":       &newDomainPage{},
		"domain-remove":    &removeDomainPage{},
		"domains":          &domainsPage{},
		"error":            &errorPage{},
		"group":            &groupPage{},
		"group-delete":     &editGroupPage{},
		"group-edit":       &editGroupPage{},
		"group-new":        &newGroupPage{},
		"groups":           &groupsPage{},
		"home":             &homePage{},
		"idp":              &idpPage{},
		"idp-delete":       &confirmPage{},
		"idp-disable":      &confirmPage{},
		"idp-edit":         &editIdPPage{},
		"idp-new":          &newIdPPage{},
		"idp-keys":         &keysPage{},
		"idp-metadata":     &metadataPage{},
		"idp-setup":        &setupPage{},
		"idps":             &idpsPage{},
		"ask":              &askPage{},
		"link":             &linkPage{},
		"logged-in":        &loggedInPage{},
		"login":            &loginPage{},
		"login-method-cut": &cutPage{},
		"login-methods":    &loginMethodsPage{},
		"logout":           &logoutPage{},
		"logout-done":      &logoutDonePage{},
		"logout-onward":    &logoutOnwardPage{},
		"organization":     &organizationPage{},
		"organization-new": &newOrganizationPage{},
		"people":           &peoplePage{},
		"person":           &personPage{},
		"person-remove":    &personPage{},
		"policy":           &policyPage{},
		"policy-preview":   &policyPreviewPage{},
		"profile":          &profilePage{},
		"profile-password": &passwordPage{},
		"recover":          &recoverPage{},
		"refused":          &refusedPage{},
		"dev-mail":         &devMailPage{},
		"dev-mails":        &devMailsPage{},
		"token":            &tokenPage{},
		"token-end-all":    &endAllPage{},
		"token-made":       &tokenMadePage{},
		"token-new":        &newTokenPage{},
		"token-revoke":     &tokenPage{},
		"tokens":           &tokensPage{},
		"trace":            &tracePage{},
		"trace-shared":     &sharedTracePage{},
		"traces":           &tracesPage{},
		"login-test":       &loginTestPage{},
		"verify":           &verifyPage{},
		"saml":             &samlPage{},
		"signup":           &signupPage{},
		"signup-method":    &signupMethodPage{},
		"ways":             &waysPage{},
	}
	for name, tmpl := range parseTemplates(loadAssets()) {
		p, known := pages[name]
		if !known {
			t.Errorf("template %s: no page struct is named for it in this test", name)
			continue
		}
		if err := templatecheck.CheckHTML(tmpl, p); err != nil {
			t.Errorf("template %s: %v", name, err)
		}
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("page %s has no template", name)
	}
}
