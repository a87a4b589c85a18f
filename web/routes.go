package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A handler answers a request of somebody whom the gate let in. What it
// returns becomes a page.
type handler func(w http.ResponseWriter, r *http.Request, v gate.Visit) error

// A route is one operation: what it answers to, what the visitor needs for
// it, and who does it. Where the path has {organization}, the need is asked of
// that organization.
type route struct {
	pattern string
	need    account.Permission
	do      handler
}

// acsPatterns are the paths that other sites may post to.
var acsPatterns = []string{
	"/v1/sso/saml/acs/{method}",
	"/v1/sso/saml/account/{account}/method/{method}/acs",
}

// The places of the console.
const (
	organizationPath = "/organization/{organization}"
	idpsPath         = organizationPath + "/identity-providers"
	idpPath          = idpsPath + "/{method}"
)

// routes is everything that there is.
func (s *site) routes() []route {
	return []route{
		{"GET /v1/sso/saml/metadata/{method}", account.Anyone, s.showMetadata},
		{"GET /v1/sso/saml/login/{method}", account.Anyone, s.startSAML},
		{"POST " + acsPatterns[0], account.Anyone, s.answerSAML},
		{"GET /v1/sso/saml/account/{account}/method/{method}/metadata", account.Anyone, s.showMetadata},
		{"GET /v1/sso/saml/account/{account}/method/{method}/login", account.Anyone, s.startSAML},
		{"POST " + acsPatterns[1], account.Anyone, s.answerSAML},

		{"GET /login", account.Anyone, s.showLogin},
		{"POST /login", account.Anyone, s.showWays},
		{"POST /login/password", account.Anyone, s.answerPassword},
		{"GET /login/continue", account.Anyone, s.continueLogin},
		{"POST /login/continue", account.Anyone, s.confirmLogin},
		{"GET /signup", account.Anyone, s.showSignup},
		{"POST /signup", account.Anyone, s.createAccount},
		{"GET /signup/{method}", account.Anyone, s.showSignupMethod},
		{"GET /link/{method}", account.Self, s.showLink},
		{"POST /link/{method}", account.Self, s.beginLink},
		{"GET /recover/{secret}", account.Anyone, s.showRecover},
		{"POST /recover/{secret}", account.Anyone, s.answerRecover},
		{"GET /verify/{code}", account.Anyone, s.showVerify},
		{"POST /verify/{code}", account.Anyone, s.confirmAddress},
		{"POST /verify/{code}/refuse", account.Anyone, s.refuseAccount},
		{"GET /logout", account.Anyone, s.showLogout},
		{"POST /logout", account.Anyone, s.logOut},

		{"GET /{$}", account.Self, s.showHome},
		{"GET /profile", account.Self, s.showProfile},
		{"POST /profile", account.Self, s.saveProfile},
		{"POST /profile/verify-email", account.Self, s.mailAgain},
		{"GET /organizations/new", account.Self, s.showNewOrganization},
		{"POST /organizations", account.Self, s.addOrganization},
		{"GET " + organizationPath, account.ReadOrganization, s.showOrganization},
		{"POST " + organizationPath, account.WriteOrganization, s.renameOrganization},

		{"GET " + idpsPath, account.ManageIdPs, s.listIdPs},
		{"GET " + idpsPath + "/new", account.ManageIdPs, s.showNewIdP},
		{"POST " + idpsPath, account.ManageIdPs, s.addIdP},
		{"GET " + idpPath, account.ManageIdPs, s.showIdP},
		{"GET " + idpPath + "/setup", account.ManageIdPs, s.showSetup},
		{"POST " + idpPath + "/setup", account.ManageIdPs, s.saveSetup},
		{"GET " + idpPath + "/edit", account.ManageIdPs, s.showEditIdP},
		{"POST " + idpPath, account.ManageIdPs, s.saveIdP},
		{"POST " + idpPath + "/enable", account.ManageIdPs, s.enableIdP},
		{"GET " + idpPath + "/disable", account.ManageIdPs, s.confirmDisableIdP},
		{"POST " + idpPath + "/disable", account.ManageIdPs, s.disableIdP},
		{"GET " + idpPath + "/delete", account.ManageIdPs, s.confirmDeleteIdP},
		{"POST " + idpPath + "/delete", account.ManageIdPs, s.deleteIdP},

		{"GET " + organizationPath + "/audit-log", account.ReadAudit, s.listAudit},

		{"GET /static/{file}", account.Anyone, s.showAsset},
		{"GET /favicon.ico", account.Anyone, s.showFavicon},
	}
}
