package sso

import "strings"

// A finding is what one rejection code says: the sentence, and what an
// administrator does about it.
type finding struct {
	message string
	remedy  string
}

const (
	// hostile is the remedy for what no identity provider sends by itself.
	hostile = "Identity providers do not send this. Check that nothing between the identity provider and Gatehouse rewrites the response; otherwise treat it as an attack."

	// theirClock is the remedy for whatever depends on two clocks.
	theirClock = "Compare the clocks of the identity provider and of this server; both should follow NTP. If they agree, start again from the login page."
)

// findings has every code that Check and DecodeResponse give, but for
// unknown_request and request_expired, which the opener of tickets gives. The
// codes are stable: traces, pages and customers' scripts refer to them. The
// document docs/security.md lists them in this order.
var findings = map[string]finding{
	// What arrived, before it is looked at as SAML.
	"response_empty":      {"The request carries no SAML response.", "Check that the identity provider posts a SAMLResponse field to the ACS URL (HTTP-POST binding)."},
	"response_not_base64": {"The SAMLResponse field is not base64.", "Check that the identity provider uses the HTTP-POST binding, and that no proxy rewrites forms."},
	"response_too_large":  {"The SAML response is larger than 256 KiB.", "Let the identity provider send fewer attributes: usually a filter on groups."},
	"xml_encoding":        {"The response is not UTF-8.", "Set the identity provider to UTF-8."},
	"xml_character":       {"The response has a character that XML does not allow.", hostile},
	"xml_malformed":       {"The response is not well-formed XML.", "Check that nothing between the identity provider and Gatehouse rewrites or cuts the response."},
	"xml_doctype":         {"The response has a document type declaration.", hostile},
	"xml_comment":         {"The response has an XML comment.", "Comments can cut names in two, so none is admitted. Switch off whatever adds them at the identity provider."},
	"xml_instruction":     {"The response has a processing instruction.", hostile},
	"xml_cdata":           {"The response has a CDATA section.", "Let the identity provider escape text instead of wrapping it in CDATA."},
	"xml_entity":          {"The response refers to an entity that XML does not define.", hostile},
	"xml_name":            {"The response has an element or attribute name that SAML does not use.", hostile},
	"xml_attribute":       {"An element has the same attribute twice.", hostile},
	"xml_namespace":       {"The response uses a namespace prefix wrongly.", hostile},
	"xml_too_complex":     {"The response is deeper or has more elements, attributes or namespaces than any honest one.", "Let the identity provider send fewer attributes: usually a filter on groups."},

	// What stands where.
	"not_a_response":      {"The document is not a SAML 2.0 response.", "Check that the identity provider speaks SAML 2.0 (not 1.1 or WS-Federation) and posts its login response to the ACS URL."},
	"id_invalid":          {"An ID is missing, misspelt or not an XML id.", hostile},
	"id_duplicate":        {"Two elements have the same ID.", hostile},
	"no_assertion":        {"The response has no assertion.", "Check the identity provider's log for this login: it admitted nobody."},
	"several_assertions":  {"The response has more than one assertion.", "Let the identity provider send one assertion in each response, without a nested one in Advice."},
	"assertion_misplaced": {"An assertion stands where none belongs.", "Let the identity provider send no assertion inside another's Advice or anywhere but in the response (pysaml2: switch the option pefim off). If it does not do that, check that nothing between it and Gatehouse rewrites the response; otherwise treat it as an attack."},
	"signature_misplaced": {"A signature stands where none belongs.", hostile},
	"several_signatures":  {"The response or the assertion has more than one signature.", hostile},

	// Who signed it.
	"not_signed":           {"Neither the response nor the assertion is signed.", "Let the identity provider sign the assertion, the response, or both."},
	"assertion_not_signed": {"The assertion itself is not signed, which this method demands.", "Let the identity provider sign assertions, or switch off \"assertion must be signed\" here."},
	"signature_malformed":  {"A signature does not have the form that SAML prescribes.", hostile},
	"reference_invalid":    {"A signature does not refer to exactly the element that it stands in.", "Let the identity provider sign by ID, with one reference, as SAML Core 5.4.2 prescribes."},
	"transform_refused":    {"A signature uses a transform or canonicalization that is not admitted.", "Let the identity provider use exclusive canonicalization (xml-exc-c14n) and the enveloped-signature transform only."},
	"algorithm_refused":    {"A signature or digest algorithm is not admitted.", "Let the identity provider sign with RSA or ECDSA and SHA-256, SHA-384 or SHA-512."},
	"sha1_refused":         {"The response is signed with SHA-1, which this method does not admit.", "Let the identity provider sign with SHA-256; or, until it can, admit SHA-1 for this method here, which is a risk."},
	"key_too_small":        {"The identity provider's key is too short.", "Let the identity provider use a key of at least 2048 bits; or, until it can, admit small keys for this method here, which is a risk (never under 1024 bits)."},
	"no_certificate":       {"This method has no certificate to verify signatures with.", "Enter the identity provider's signing certificate here."},
	"wrong_key":            {"The signature was not made with a key of this method's certificates.", "Enter the identity provider's present signing certificate here; at a change of certificates, both."},
	"content_changed":      {"The content is not what was signed.", "Check that nothing between the identity provider and Gatehouse rewrites the response; otherwise treat it as an attack."},
	"verifiers_disagree":   {"Two programs that verify the signature do not agree on it.", "Report this with the response: it should not happen. Until the server starts again, the slower of the two verifies alone."},
	"verifier_failed":      {"The signature cannot be verified.", "Report this with the response: it should not happen."},

	// What is encrypted.
	"encryption_malformed":   {"Something encrypted does not have the form that SAML prescribes: one EncryptedData with one EncryptedKey.", "Let the identity provider encrypt for the certificate in this method's metadata alone."},
	"encryption_refused":     {"Something is encrypted by an algorithm that is not admitted.", "Let the identity provider encrypt with AES-GCM, and the key with RSA-OAEP (SHA-1 or SHA-256); not with RSA 1.5 or triple DES."},
	"encryption_unsigned":    {"The assertion is encrypted with AES-CBC in a response that is not signed, so that strangers could try changes of it.", "Let the identity provider sign the response too (AD FS: SamlResponseSignature MessageAndAssertion), or encrypt with AES-GCM, or switch encryption off there."},
	"decryption_failed":      {"What is encrypted cannot be decrypted, or is not what belongs there.", "Let the identity provider encrypt for the certificate in this method's present metadata. Why it failed is not said, because that would help attackers."},
	"decryption_key_missing": {"The assertion is encrypted, and this server cannot open its own key for this method.", "Ask the operator of this server: the file of keys is not the one that this method's key was sealed with."},
	"attribute_encrypted":    {"An attribute is encrypted by itself.", "Let the identity provider encrypt the whole assertion instead."},

	// What it says.
	"version_unsupported":        {"The message is not SAML 2.0.", "Set the identity provider to SAML 2.0."},
	"element_missing":            {"Something that SAML requires is missing.", "Check the identity provider's settings for this application; this is a fault of its software."},
	"element_unexpected":         {"Something stands where SAML has no place for it.", hostile},
	"element_repeated":           {"Something stands twice that SAML allows once.", "Check the identity provider's settings for this application; this is a fault of its software."},
	"status_not_success":         {"The identity provider did not log the person in.", "Check the identity provider's log for this login: often the person is not assigned to this application."},
	"issuer_mismatch":            {"The response comes from another identity provider than this method's.", "Make the entity ID here the same as the Issuer that the identity provider sends, character by character."},
	"destination_mismatch":       {"The response was meant for another address.", "Set the ACS URL at the identity provider to this method's, character by character."},
	"recipient_mismatch":         {"The assertion was meant for another address.", "Set the ACS URL (Recipient) at the identity provider to this method's, character by character."},
	"audience_mismatch":          {"The assertion was meant for another service.", "Set the audience (service provider entity ID) at the identity provider to this method's metadata URL."},
	"audience_missing":           {"The assertion does not say which service it is for.", "Set the audience (service provider entity ID) at the identity provider to this method's metadata URL."},
	"conditions_missing":         {"The assertion has no Conditions.", "Check the identity provider's settings for this application: it must send Conditions with an audience."},
	"condition_unknown":          {"The assertion has a condition that is not understood, so it may not be believed.", "Switch off that condition for this application at the identity provider."},
	"not_yet_valid":              {"The assertion is not valid yet.", theirClock},
	"expired":                    {"The assertion is not valid any more.", theirClock},
	"issued_in_future":           {"The message was issued in the future.", theirClock},
	"issued_too_long_ago":        {"The message was issued too long ago.", theirClock},
	"time_invalid":               {"A time is not a UTC date and time.", "Check the identity provider's settings for this application; this is a fault of its software."},
	"name_id_missing":            {"The assertion does not name its subject.", "Choose a NameID for this application at the identity provider, and see that it has a value for this person."},
	"name_id_encrypted":          {"The subject's name is said to be encrypted, and stands there as if it were not.", "Choose another NameID format for this application at the identity provider. To encrypt the name, let it send an EncryptedID."},
	"name_qualifier_mismatch":    {"The subject's name was made for another service.", "Set the service provider entity ID (SPNameQualifier) at the identity provider to this method's metadata URL."},
	"no_bearer":                  {"The assertion has no bearer confirmation, so it may not be used for a login by browser.", "Let the identity provider use the Web Browser SSO profile with bearer confirmation for this application."},
	"confirmation_invalid":       {"The assertion's confirmation lacks what a login by browser needs.", "Check the identity provider's settings for this application: the bearer confirmation needs Recipient and NotOnOrAfter."},
	"in_response_to_mismatch":    {"The response and its assertion answer different requests.", "Start again from the login page. If it happens every time, the identity provider must send the request's ID as InResponseTo in both places."},
	"unsolicited":                {"The response answers no request of ours.", "Start from the login page here, or admit logins that start at the identity provider for this method."},
	"no_authn_statement":         {"The assertion does not say that and when the person logged in.", "Let the identity provider send an AuthnStatement for this application."},
	"authn_not_fresh":            {"The person did not log in for this request, but some time before it.", "Let the identity provider honour ForceAuthn for this application, or switch off \"ask for a new login each time\" here."},
	"authn_context_insufficient": {"The person logged in by less than a password over TLS, as far as the identity provider says.", "Let the identity provider send the AuthnContextClassRef of how the person logged in, or switch off \"ask for a login with a password or better\" here."},
	"session_ended":              {"The person's session at the identity provider is over.", "Log in at the identity provider again."},

	// Logouts.
	"logout_empty":                {"The request carries no logout message.", "Check that the identity provider sends a SAMLRequest or SAMLResponse to the single logout URL, by the binding that its metadata here names."},
	"logout_parameters":           {"The parameters of the logout message are not as SAML prescribes.", hostile},
	"logout_not_base64":           {"The logout message is not base64.", "Check that no proxy rewrites forms or queries on the way."},
	"logout_not_deflated":         {"The logout message in the query is not compressed as SAML prescribes.", "Check that the identity provider uses the HTTP-Redirect binding with DEFLATE."},
	"logout_too_large":            {"The logout message is larger than 64 KiB.", hostile},
	"not_a_logout":                {"The document is not the logout message that belongs there.", "Check that the identity provider sends single logout messages, and no others, to the single logout URL."},
	"logout_not_signed":           {"The logout message is not signed.", "Let the identity provider sign logout requests and responses: unsigned ones would let anybody end other people's sessions."},
	"logout_destination_mismatch": {"The logout message was meant for another address.", "Set the single logout URL at the identity provider to this method's, character by character."},
	"logout_expired":              {"The logout message is not valid any more.", theirClock},
	"logout_name_missing":         {"The logout request does not say whose session is to end.", "Let the identity provider name the person in the logout request by the NameID of the login."},
	"logout_session_invalid":      {"A SessionIndex of the logout request is empty, or there are more than 100.", hostile},
	"logout_replayed":             {"This logout request was used already.", "Each logout request counts once. If nobody went back in the browser, treat it as an attack."},
	"logout_unknown_request":      {"The logout response answers no logout of the last ten minutes.", "If it happens every time, the identity provider must send the request's ID as InResponseTo."},
	"logout_failed":               {"The identity provider did not end its session, or not everywhere.", "Check the identity provider's log for this logout. The session here has ended all the same."},

	// Whom it means.
	"attribute_conflict": {"An attribute that must have one value has several different ones.", "Let the identity provider send one value, or map another attribute here."},
	"no_identity":        {"The response has nothing that names the person the same way at each login.", "Let the identity provider send a NameID that is not transient (persistent or emailAddress), or map the identity attribute here to one that it sends."},
}

// reject makes a rejection from the table. What a stranger sent is cut.
func reject(code, expected, got string) *Rejection {
	f := findings[code]
	return &Rejection{
		Code:     code,
		Message:  f.message,
		Expected: strings.ToValidUTF8(clip(expected), ""),
		Got:      strings.ToValidUTF8(clip(got), "�"),
		Remedy:   f.remedy,
	}
}
