package samltest

// profileRecipes are signed by the identity provider, in full, and not meant
// for us, now.
func profileRecipes() []recipe {
	signed := func(name, code, why string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignBoth, edit: edit}
	}
	at := func(name, code, why, when string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignBoth, edit: edit, set: clock(when)}
	}
	issued := func(which, when string) []string {
		return []string{`ID="` + which + `" Version="2.0" IssueInstant="2026-03-01T12:00:00Z"`, `ID="` + which + `" Version="2.0" IssueInstant="` + when + `"`}
	}
	const ours = `Recipient="` + ACS + `"`
	return []recipe{
		signed("response-version", "version_unsupported", "SAML 1.1.", `_response-1" Version="2.0"`, `_response-1" Version="1.1"`),
		signed("assertion-version", "version_unsupported", "SAML 1.1.", `_assertion-1" Version="2.0"`, `_assertion-1" Version="1.1"`),
		signed("status-failure", "status_not_success", "The identity provider refused.", `:Success"/>`, `:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode><samlp:StatusMessage>No access</samlp:StatusMessage>`),
		signed("status-nested-success", "status_not_success", "Success at the second level is none.", `:Success"/>`, `:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:StatusCode>`),
		{name: "status-failure-unsigned", code: "status_not_success", why: "A refusal has neither assertion nor signature.", edit: []string{
			between(Template, "<saml:Assertion ", "</saml:Assertion>"), "", `:Success"/>`, `:Requester"/>`}},
		signed("no-status", "element_missing", "Nothing says that it worked.", statusEl, ``),
		signed("two-statuses", "element_repeated", "Which of them counts?", statusEl, statusEl+statusEl),
		signed("response-issuer", "issuer_mismatch", "Another identity provider's response.", EntityID, "https://other.example/saml"),
		signed("assertion-issuer", "issuer_mismatch", "Another identity provider's assertion.", `<saml:Issuer>`+EntityID+`</saml:Issuer><!--signature of _assertion-1-->`, `<saml:Issuer>https://other.example/saml</saml:Issuer><!--signature of _assertion-1-->`),
		signed("no-assertion-issuer", "element_missing", "Nobody says it.", `<saml:Issuer>`+EntityID+`</saml:Issuer><!--signature of _assertion-1-->`, `<!--signature of _assertion-1-->`),
		signed("destination", "destination_mismatch", "Sent to another service.", `Destination="`+ACS, `Destination="https://other.example/acs`),
		signed("empty-destination", "destination_mismatch", "Sent to nowhere.", `Destination="`+ACS+`"`, `Destination=""`),
		signed("destination-case", "destination_mismatch", "Addresses are compared byte by byte.", `Destination="https://gate`, `Destination="https://Gate`),
		signed("recipient", "recipient_mismatch", "Confirmed for another service.", ours, `Recipient="https://other.example/acs"`),
		signed("recipient-prefix", "recipient_mismatch", "Ours is only the beginning.", ours, `Recipient="`+ACS+`x"`),
		signed("no-recipient", "confirmation_invalid", "Confirmed for anybody.", ` `+ours, ``),
		{name: "authn-before-request", code: "authn_not_fresh", why: "A new login was asked for, and an older one comes.", sign: SignBoth,
			edit: []string{`AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2026-03-01T11:57:59Z"`}, set: func(c *Case) { c.ForceAuthn = true }},
		{name: "context-weaker-than-asked", code: "authn_context_insufficient", why: "A password over TLS was asked for.", sign: SignBoth,
			edit: []string{`:classes:PasswordProtectedTransport`, `:classes:Password`}, set: func(c *Case) { c.WantContext = true }},
		{name: "context-not-said", code: "authn_context_insufficient", why: "Nobody says how the person logged in.", sign: SignBoth,
			edit: []string{`:classes:PasswordProtectedTransport`, `:classes:unspecified`}, set: func(c *Case) { c.WantContext = true }},
		{name: "context-not-exact", code: "authn_context_insufficient", why: "AD FS was asked for one of two.", sign: SignBoth,
			edit: []string{`:classes:PasswordProtectedTransport`, `:classes:TimeSyncToken`}, set: func(c *Case) { c.WantContext, c.Variant = true, "adfs" }},
		{name: "no-recipient-in-unsigned-response", code: "confirmation_invalid", why: "The method admits it where a signed response says where it goes; this one is not signed.",
			sign: SignAssertion, edit: []string{` ` + ours, ``}, set: func(c *Case) { c.AllowNoRecipient = true }},
		{name: "no-recipient-and-no-destination", code: "confirmation_invalid", why: "Nothing that is signed says where it goes.",
			sign: SignBoth, edit: []string{` ` + ours, ``, ` Destination="` + ACS + `"`, ``}, set: func(c *Case) { c.AllowNoRecipient = true }},
		signed("audience", "audience_mismatch", "Meant for another service.", audience, `<saml:Audience>https://other.example/</saml:Audience>`),
		signed("second-audience-restriction", "audience_mismatch", "All of them have to name us.", `</saml:AudienceRestriction>`, `</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>https://other.example/</saml:Audience></saml:AudienceRestriction>`),
		signed("empty-audience-restriction", "audience_mismatch", "It names nobody.", audience, ``),
		signed("no-audience-restriction", "audience_missing", "Meant for anybody.", `<saml:AudienceRestriction>`+audience+`</saml:AudienceRestriction>`, ``),
		signed("no-conditions", "conditions_missing", "Meant for anybody, for ever.", between(Template, "<saml:Conditions ", "</saml:Conditions>"), ``),
		signed("two-conditions", "element_repeated", "Which of them counts?", `</saml:Conditions>`, `</saml:Conditions><saml:Conditions/>`),
		signed("unknown-condition", "condition_unknown", "What is not understood may not be ignored.", `</saml:Conditions>`, `<saml:Condition/></saml:Conditions>`),
		signed("foreign-condition", "condition_unknown", "What is not understood may not be ignored.", `</saml:Conditions>`, `<x:OneTimeUse xmlns:x="urn:x"/></saml:Conditions>`),
		signed("foreign-conditions", "element_unexpected", "Something that looks like Conditions.", `<saml:Conditions `, `<x:Conditions xmlns:x="urn:x"/><saml:Conditions `),
		at("expired-61s", "expired", "The end was 61 seconds ago.", "2026-03-01T12:06:01Z"),
		at("expired-60s", "expired", "The end was 60 seconds ago.", "2026-03-01T12:06:00Z"),
		at("expired-confirmation", "expired", "Its end counts too.", "2026-03-01T12:06:30Z", condEnd, `NotOnOrAfter="2026-03-01T13:00:00Z"`),
		at("not-yet-valid-61s", "not_yet_valid", "The beginning is in 61 seconds.", "2026-03-01T12:00:00Z", `NotBefore="2026-03-01T11:59:30Z"`, `NotBefore="2026-03-01T12:01:01Z"`),
		signed("response-from-the-future", "issued_in_future", "Issued in 61 seconds.", issued("_response-1", "2026-03-01T12:01:01Z")...),
		signed("assertion-from-the-future", "issued_in_future", "Issued next year.", issued("_assertion-1", "2027-03-01T12:00:00Z")...),
		signed("old-assertion", "issued_too_long_ago", "Issued long ago, though it says it is valid still.", issued("_assertion-1", "2026-03-01T11:48:00Z")...),
		signed("old-response", "issued_too_long_ago", "Issued long ago, though it says it is valid still.", issued("_response-1", "2026-03-01T11:48:00Z")...),
		signed("no-issue-instant", "element_missing", "Nobody knows when.", `_assertion-1" Version="2.0" IssueInstant="2026-03-01T12:00:00Z"`, `_assertion-1" Version="2.0"`),
		signed("local-time", "time_invalid", "A time without zone.", `AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2026-03-01T11:58:00"`),
		signed("not-a-time", "time_invalid", "No time at all.", scdEnd, `NotOnOrAfter="tomorrow"/>`),
		signed("no-authn-statement", "no_authn_statement", "It does not say that anybody logged in.", between(Template, "<saml:AuthnStatement ", "</saml:AuthnStatement>"), ``),
		signed("no-authn-instant", "element_missing", "Nobody knows when.", ` AuthnInstant="2026-03-01T11:58:00Z"`, ``),
		signed("session-ended", "session_ended", "The session there is over.", ` SessionIndex=`, ` SessionNotOnOrAfter="2026-03-01T11:58:59Z" SessionIndex=`),
	}
}

// subjectRecipes are about nobody, or about somebody in a way that does not
// admit them here.
func subjectRecipes() []recipe {
	signed := func(name, code, why string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignBoth, edit: edit}
	}
	assertionOnly := func(name, code, why string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignAssertion, after: replace(edit...)}
	}
	subject := between(Template, "<saml:Subject>", "</saml:Subject>")
	confirmation := between(Template, "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>")
	data := between(Template, "<saml:SubjectConfirmationData ", "/>")
	return []recipe{
		signed("no-subject", "name_id_missing", "About nobody.", subject, ``),
		signed("two-subjects", "element_repeated", "About whom?", `</saml:Subject>`, `</saml:Subject><saml:Subject/>`),
		signed("no-name-id", "name_id_missing", "About nobody.", nameIDEl, ``),
		signed("two-name-ids", "element_repeated", "About whom?", nameIDEl, nameIDEl+`<saml:NameID>mallory@example.com</saml:NameID>`),
		signed("empty-name-id", "name_id_missing", "About nobody.", `>alice@example.com</saml:NameID>`, `></saml:NameID>`),
		signed("blank-name-id", "name_id_missing", "About nobody.", `>alice@example.com</saml:NameID>`, `> </saml:NameID>`),
		signed("element-in-name-id", "name_id_missing", "Two parsers read two names.", `>alice@example.com</saml:NameID>`, `>alice@example.com<b/>.evil.example</saml:NameID>`),
		signed("foreign-name-id", "element_unexpected", "Something that looks like a NameID.", nameIDEl, nameIDEl+`<x:NameID xmlns:x="urn:x">mallory@example.com</x:NameID>`),
		signed("foreign-subject", "element_unexpected", "Something that looks like a Subject.", `<saml:Subject>`, `<x:Subject xmlns:x="urn:x"/><saml:Subject>`),
		signed("name-qualifier", "name_qualifier_mismatch", "Named for another service.", `<saml:NameID `, `<saml:NameID SPNameQualifier="https://other.example/" `),
		signed("no-confirmation", "no_bearer", "Nobody may use it.", confirmation, ``),
		signed("holder-of-key", "no_bearer", "Only who holds a key may use it.", `cm:bearer`, `cm:holder-of-key`),
		signed("sender-vouches", "no_bearer", "Only who vouches may use it.", `cm:bearer`, `cm:sender-vouches`),
		signed("no-confirmation-data", "confirmation_invalid", "Confirmed for anybody, for ever.", data, ``),
		signed("confirmation-not-before", "not_yet_valid", "The profile forbids it; at least it has to have come.", ` NotOnOrAfter="2026-03-01T12:05:00Z"/>`, ` NotBefore="2026-03-01T12:01:01Z" NotOnOrAfter="2026-03-01T12:05:00Z"/>`),
		signed("confirmation-without-end", "confirmation_invalid", "Confirmed for ever.", ` `+scdEnd, `/>`),
		signed("unknown-request", "unknown_request", "It answers a request that is not ours.", ` InResponseTo="_request-1">`, ` InResponseTo="_request-2">`, ` InResponseTo="_request-1" Recipient`, ` InResponseTo="_request-2" Recipient`),
		signed("two-requests", "in_response_to_mismatch", "It answers two different requests.", ` InResponseTo="_request-1" Recipient`, ` InResponseTo="_request-2" Recipient`),
		signed("confirmation-without-request", "in_response_to_mismatch", "The assertion answers nothing.", ` InResponseTo="_request-1" Recipient`, ` Recipient`),
		signed("response-without-request", "in_response_to_mismatch", "The response answers nothing.", ` InResponseTo="_request-1">`, `>`),
		signed("unsolicited", "unsolicited", "It answers nothing, which is not admitted.", ` InResponseTo="_request-1">`, `>`, ` InResponseTo="_request-1" Recipient`, ` Recipient`),
		assertionOnly("stripped-request", "in_response_to_mismatch", "Somebody's answer, made to look unsolicited.", ` InResponseTo="_request-1">`, `>`),
		assertionOnly("exchanged-request", "in_response_to_mismatch", "Somebody's answer, made to look like the answer to another request.", ` InResponseTo="_request-1">`, ` InResponseTo="_request-2">`),
		{name: "stripped-request-where-unsolicited-may-be", code: "in_response_to_mismatch", why: "Somebody's answer, made to look unsolicited.", sign: SignAssertion,
			after: replace(` InResponseTo="_request-1">`, `>`), set: func(c *Case) { c.Unsolicited = true }},
		signed("transient", "no_identity", "Another name at each login.", `:1.1:nameid-format:emailAddress`, `:2.0:nameid-format:transient`),
		{name: "mapped-identity-missing", code: "no_identity", why: "The mapped attribute was not sent.", sign: SignBoth, set: func(c *Case) { c.IdentityName = "employee" }},
		{name: "mapped-identity-twice", code: "attribute_conflict", why: "Whom does it mean?", sign: SignBoth, set: func(c *Case) { c.IdentityName = "groups" }},
		signed("two-emails", "attribute_conflict", "Whom does it mean?", emailEl, emailEl+`<saml:AttributeValue>mallory@example.com</saml:AttributeValue>`),
		signed("two-email-attributes", "attribute_conflict", "Whom does it mean?", `Name="lastName" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">Liddell<`, `Name="email"><saml:AttributeValue xsi:type="xs:string">mallory@example.com<`),
		signed("attribute-without-name", "element_missing", "A value of nothing.", `Name="lastName"`, `Title="lastName"`),
	}
}
