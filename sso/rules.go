package sso

// A rule is one thing that a verified response is held to.
type rule struct {
	name  string // stable: reports show it
	check func(*profile) *Rejection
}

// rules are the rules of the Web Browser SSO profile (SAML Profiles, 4.1.4) in
// their order. Check refuses by the first that does not hold; a report goes
// through all of them.
var rules = [...]rule{
	{"response", (*profile).checkResponse},
	{"status", (*profile).checkStatus},
	{"destination", (*profile).checkDestination},
	{"response_issuer", (*profile).checkResponseIssuer},
	{"response_time", (*profile).checkResponseTime},
	{"assertion", (*profile).checkAssertion},
	{"assertion_time", (*profile).checkAssertionTime},
	{"issuer", (*profile).checkIssuer},
	{"validity", (*profile).checkValidity},
	{"audience", (*profile).checkConditions},
	{"name_id", (*profile).checkName},
	{"confirmation", (*profile).checkConfirmations},
	{"request", (*profile).openTicket},
	{"authentication", (*profile).checkAuthn},
	{"fresh_login", (*profile).checkFresh},
	{"login_context", (*profile).checkContext},
	{"attributes", (*profile).mapAttributes},
}
