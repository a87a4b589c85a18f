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
	domainsPath      = organizationPath + "/domains"
	domainPath       = domainsPath + "/{domain}"
	peoplePath       = organizationPath + "/people"
	personPath       = peoplePath + "/{user}"
	groupsPath       = organizationPath + "/groups"
	groupPath        = groupsPath + "/{group}"
	tracesPath       = organizationPath + "/login-traces"
	tracePath        = tracesPath + "/{trace}"
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
		{"GET " + sloPatterns[0], account.Anyone, s.answerLogoutQuery},
		{"POST " + sloPatterns[0], account.Anyone, s.answerLogoutPost},
		{"GET " + sloPatterns[1], account.Anyone, s.answerLogoutQuery},
		{"POST " + sloPatterns[1], account.Anyone, s.answerLogoutPost},

		{"GET /login", account.Anyone, s.showLogin},
		{"POST /login", account.Anyone, s.showWays},
		{"POST /login/password", account.Anyone, s.answerPassword},
		{"GET /login/continue", account.Anyone, s.continueLogin},
		{"POST /login/continue", account.Anyone, s.confirmLogin},
		{"GET /signup", account.Anyone, s.showSignup},
		{"POST /signup", account.Anyone, s.createAccount},
		{"GET /signup/{method}", account.Anyone, s.showSignupMethod},
		{"GET /link/{method}", account.ReadSelf, s.showLink},
		{"POST /link/{method}", account.WriteTokens, s.beginLink},
		{"GET /recover/{secret}", account.Anyone, s.showRecover},
		{"POST /recover/{secret}", account.Anyone, s.answerRecover},
		{"GET /verify/{code}", account.Anyone, s.showVerify},
		{"POST /verify/{code}", account.Anyone, s.confirmAddress},
		{"POST /verify/{code}/refuse", account.Anyone, s.refuseAccount},
		{"GET /logout", account.Anyone, s.showLogout},
		{"POST /logout", account.Anyone, s.logOut},
		{"GET /logout/onward", account.Anyone, s.carryOn},
		{"GET /logout/done", account.Anyone, s.showLogoutDone},

		{"GET /authorize", account.ReadSelf, s.showAuthorize},
		{"POST /authorize", account.WriteTokens, s.answerAuthorize},
		{"GET " + devicePath, account.ReadSelf, s.showDevice},
		{"POST " + devicePath, account.WriteTokens, s.findDevice},
		{"POST " + devicePath + "/answer", account.WriteTokens, s.answerDevice},
		{"GET " + deviceDonePath, account.ReadSelf, s.showDeviceDone},

		{"GET /{$}", account.ReadSelf, s.showHome},
		{"GET /profile", account.ReadSelf, s.showProfile},
		{"POST /profile", account.WriteSelf, s.saveProfile},
		{"GET " + passwordPath, account.ReadSelf, s.showPassword},
		{"POST " + passwordPath, account.WriteSelf, s.changePassword},
		{"POST /profile/verify-email", account.WriteSelf, s.mailAgain},
		{"GET " + tokensPath, account.ReadTokens, s.listTokens},
		{"GET " + tokensPath + "/new", account.ReadTokens, s.showNewToken},
		{"POST " + tokensPath, account.WriteTokens, s.makeToken},
		{"GET " + tokensPath + "/all/delete", account.ReadTokens, s.confirmEndAll},
		{"POST " + tokensPath + "/all/delete", account.WriteTokens, s.endAll},
		{"GET " + tokenPath, account.ReadTokens, s.showToken},
		{"POST " + tokenPath, account.WriteTokens, s.renameToken},
		{"GET " + tokenPath + "/delete", account.ReadTokens, s.confirmRevokeToken},
		{"POST " + tokenPath + "/delete", account.WriteTokens, s.revokeToken},
		{"GET " + loginMethodsPath, account.ReadTokens, s.showLoginMethods},
		{"GET " + loginMethodPath + "/delete", account.ReadTokens, s.confirmCut},
		{"POST " + loginMethodPath + "/delete", account.WriteTokens, s.cutLoginMethod},
		{"GET /organizations/new", account.MakeOrganizations, s.showNewOrganization},
		{"POST /organizations", account.MakeOrganizations, s.addOrganization},
		{"GET " + organizationPath, account.ReadOrganization, s.showOrganization},
		{"POST " + organizationPath, account.WriteOrganization, s.renameOrganization},

		{"GET " + idpsPath, account.ReadIdPs, s.listIdPs},
		{"GET " + idpsPath + "/new", account.ReadIdPs, s.showNewIdP},
		{"POST " + idpsPath, account.WriteIdPs, s.addIdP},
		{"GET " + idpPath, account.ReadIdPs, s.showIdP},
		{"GET " + idpPath + "/setup", account.ReadIdPs, s.showSetup},
		{"POST " + idpPath + "/setup", account.WriteIdPs, s.saveSetup},
		{"GET " + idpPath + "/edit", account.ReadIdPs, s.showEditIdP},
		{"POST " + idpPath, account.WriteIdPs, s.saveIdP},
		{"POST " + idpPath + "/enable", account.WriteIdPs, s.enableIdP},
		{"GET " + idpPath + "/disable", account.ReadIdPs, s.confirmDisableIdP},
		{"POST " + idpPath + "/disable", account.WriteIdPs, s.disableIdP},
		{"GET " + idpPath + "/delete", account.ReadIdPs, s.confirmDeleteIdP},
		{"POST " + idpPath + "/delete", account.WriteIdPs, s.deleteIdP},
		{"GET " + idpPath + "/keys", account.ReadIdPs, s.showKeys},
		{"POST " + idpPath + "/keys", account.WriteIdPs, s.prepareKey},
		{"POST " + idpPath + "/keys/switch", account.WriteIdPs, s.switchKey},
		{"POST " + idpPath + "/keys/cancel", account.WriteIdPs, s.cancelKey},
		{"POST " + idpPath + "/keys/forget", account.WriteIdPs, s.forgetKey},
		{"GET " + idpPath + "/metadata", account.ReadIdPs, s.showMetadataPage},
		{"POST " + idpPath + "/metadata", account.WriteIdPs, s.saveMetadata},
		{"POST " + idpPath + "/metadata/fetch", account.WriteIdPs, s.fetchMetadata},
		{"POST " + idpPath + "/metadata/apply", account.WriteIdPs, s.applyMetadata},
		{"POST " + idpPath + "/metadata/discard", account.WriteIdPs, s.discardMetadata},

		{"POST " + idpPath + "/test", account.WriteIdPs, s.newLoginTest},

		{"POST " + idpPath + "/domains", account.WriteDomains, s.linkDomains},
		{"POST " + idpPath + "/domains/remove", account.WriteDomains, s.unlinkDomains},

		{"GET " + domainsPath, account.ReadDomains, s.listDomains},
		{"GET " + domainsPath + "/new", account.ReadDomains, s.showNewDomain},
		{"POST " + domainsPath, account.WriteDomains, s.addDomain},
		{"GET " + domainPath, account.ReadDomains, s.showDomain},
		{"POST " + domainPath, account.WriteDomains, s.saveProof},
		{"POST " + domainPath + "/verify", account.WriteDomains, s.verifyDomain},
		{"POST " + domainPath + "/link", account.WriteDomains, s.linkDomain},
		{"POST " + domainPath + "/unlink", account.WriteDomains, s.unlinkDomain},
		{"GET " + domainPath + "/delete", account.ReadDomains, s.confirmRemoveDomain},
		{"POST " + domainPath + "/delete", account.WriteDomains, s.removeDomain},

		{"GET " + peoplePath, account.ReadPeople, s.listPeople},
		{"GET " + personPath, account.ReadPeople, s.showPerson},
		{"POST " + personPath + "/release", account.WritePeople, s.releasePerson},
		{"GET " + personPath + "/delete", account.ReadPeople, s.confirmRemovePerson},
		{"POST " + personPath + "/delete", account.WritePeople, s.removePerson},

		{"GET " + policyPath, account.ReadPolicy, s.showPolicy},
		{"POST " + policyPath + "/preview", account.ReadPolicy, s.previewPolicy},
		{"POST " + policyPath, account.WritePolicy, s.savePolicy},
		{"POST " + policyPath + "/confirm", account.WritePolicy, s.confirmPolicy},
		{"POST " + policyPath + "/discard", account.WritePolicy, s.discardPolicy},

		{"GET " + groupsPath, account.ReadGroups, s.listGroups},
		{"GET " + groupsPath + "/new", account.ReadGroups, s.showNewGroup},
		{"POST " + groupsPath, account.WriteGroups, s.addGroup},
		{"GET " + groupPath, account.ReadGroups, s.showGroup},
		{"GET " + groupPath + "/edit", account.ReadGroups, s.showEditGroup},
		{"POST " + groupPath, account.WriteGroups, s.saveGroup},
		{"GET " + groupPath + "/delete", account.ReadGroups, s.confirmDeleteGroup},
		{"POST " + groupPath + "/delete", account.WriteGroups, s.deleteGroup},
		{"POST " + groupPath + "/members", account.WriteGroups, s.addGroupMember},
		{"POST " + groupPath + "/members/remove", account.WriteGroups, s.removeGroupMember},

		{"GET " + tracesPath, account.ReadTraces, s.listTraces},
		{"GET " + tracePath, account.ReadTraces, s.showTrace},
		{"POST " + tracePath + "/recheck", account.WriteTraces, s.recheckTrace},
		{"POST " + tracePath + "/share", account.WriteTraces, s.shareTrace},
		{"POST " + tracePath + "/delete-response", account.WriteTraces, s.dropTraceResponse},
		{"GET /login-trace/{secret}", account.Anyone, s.showSharedTrace},
		{"GET /login-test/{test}", account.Anyone, s.showLoginTest},
		{"GET /login-test/{test}/start", account.Anyone, s.startLoginTest},

		{"GET " + organizationPath + "/audit-log", account.ReadAudit, s.listAudit},

		{"GET /static/{file}", account.Anyone, s.showAsset},
		{"GET /favicon.ico", account.Anyone, s.showFavicon},
	}
}
