package sso

import "strings"

// Remedy says what an administrator does about a refusal with this code, in the
// words of the vendor's console where the remedy lies there. It knows the codes
// of rejections and those with which a login ends after its answer was
// accepted; for any other it has a general sentence.
func Remedy(code string, v Vendor) string {
	console, known := consoles[v]
	if !known {
		return generalRemedy(code)
	}
	if text, there := console.special[code]; there {
		return text
	}
	if clocks[code] && console.hosted {
		return console.say(hostedClock, place{})
	}
	recipe, there := recipes[code]
	if !there {
		return generalRemedy(code)
	}
	p, there := console.places[recipe.topic]
	if !there || p.do == "" && strings.Contains(recipe.text, "{do}") {
		return generalRemedy(code)
	}
	return console.say(recipe.text, p)
}

// generalRemedy is what holds at every vendor.
func generalRemedy(code string) string {
	if f, there := findings[code]; there {
		return f.remedy
	}
	if text, there := remedies[code]; there {
		return text
	}
	return "Look at the checks that failed, and compare the settings of this application at the identity provider with those here."
}

func (c *console) say(text string, p place) string {
	log := c.places[atEvents]
	return strings.NewReplacer(
		"{product}", c.name, "{where}", p.where, "{field}", p.field, "{do}", p.do, "{log}", log.where+", "+log.field,
	).Replace(text)
}

// A recipe makes a remedy of a topic's place: {product}, {where}, {field} and
// {do} stand for what they name, and {log} for the place of the log.
type recipe struct {
	topic topic
	text  string
}

// Texts that several codes share.
const (
	toEntityID = `In {product}, {where}, set {field} to this method's metadata URL, character by character.`
	toACS      = `In {product}, {where}, set {field} to this method's ACS URL, character by character.`
	toDo       = `In {product}, {where}, {do}.`
	toCopyCert = `Copy the certificate that {product} signs with now into "Signing certificates" here; during a change of certificates, keep both. It is {where}: {field}.`
	toEncrypt  = `In {product}, {where}, replace {field} by the encryption certificate of this method's present metadata.`

	hostedClock = `The clock of {product} can be trusted, so look at the clock of this server: it should follow NTP. If it is right, the response was under way too long: start again from the login page.`
)

// recipes are the codes whose remedy is a setting of the identity provider.
var recipes = map[string]recipe{
	"audience_mismatch":       {atAudience, toEntityID},
	"audience_missing":        {atAudience, toEntityID},
	"name_qualifier_mismatch": {atAudience, toEntityID},

	"destination_mismatch": {atACS, toACS},
	"recipient_mismatch":   {atACS, toACS},
	"unknown_request":      {atACS, `Start again from the login page. If it happens every time, responses may go to the wrong address: in {product}, {where}, set {field} to this method's ACS URL, character by character.`},

	"issuer_mismatch": {atIssuer, `Copy {field} from {product} into "Entity ID" here, character by character. It is {where}. If the two agree already, the login went to another application or directory of {product} than the one that is set up here.`},

	"wrong_key":      {atCertificate, toCopyCert},
	"no_certificate": {atCertificate, toCopyCert},
	"key_too_small":  {atNewKey, `In {product}, {where}, {do}. The key needs at least 2048 bits. Enter its certificate under "Signing certificates" here. Until then "Accept RSA keys under 2048 bits" here admits the old one, which is a risk (never under 1024 bits).`},

	"sha1_refused":      {atAlgorithm, `In {product}, {where}, {do}. Until then "Accept SHA-1 in signatures" here admits the old one, which is a risk.`},
	"algorithm_refused": {atAlgorithm, toDo},

	"not_signed":           {atSignAssertion, toDo},
	"assertion_not_signed": {atSignAssertion, `In {product}, {where}, {do}; or switch off "The assertion itself must be signed" here.`},
	"encryption_unsigned":  {atSignResponse, `In {product}, {where}, {do}; or let it encrypt with AES-GCM, or not at all.`},

	"encryption_malformed": {atEncryption, toEncrypt},
	"decryption_failed":    {atEncryption, toEncrypt + ` Why it failed is not said, because that would help attackers.`},
	"encryption_refused":   {atCipher, `In {product}, {where}, {do}.`},

	"name_id_missing":   {atNameID, `In {product}, {where}, {do}; and see that this person has a value for it.`},
	"name_id_encrypted": {atNameID, toDo},
	"no_identity":       {atNameID, `In {product}, {where}, {do}: a transient name is another one at each login. Or map the identity attribute here to one that is sent.`},

	"email_missing":      {atEmail, `In {product}, {where}, {do}. If the address is sent under another name, map that attribute to "Email address" here.`},
	"attribute_conflict": {atEmail, `Let {product} send one value of this attribute, or map another attribute here. The attributes are set {where}: {field}.`},

	"response_too_large": {atGroups, toDo},
	"xml_too_complex":    {atGroups, toDo},

	"status_not_success": {atPeople, `Often the person may not use this application: in {product}, {where}, {do}. Otherwise its log says why it refused them: {log}.`},
	"no_assertion":       {atEvents, `{product} let nobody in, and its log says why: {log}. Often the person is not assigned to this application.`},

	"logout_destination_mismatch": {atLogout, `In {product}, {where}, set {field} to this method's single logout URL, character by character.`},

	"relay_state_mismatch": {atRelay, `Start again from the login page. If it happens every time, {product} replaces the relay state: {where}, {do}.`},
	"invalid_relay_state":  {atRelay, `Log in from the login page here instead; or switch on "Logins may start at the identity provider" here; or, in {product}, {where}, set {field} to the address of this console.`},
	"unsolicited":          {atRelay, `Start from the login page here, or switch on "Logins may start at the identity provider" here. To lead people from {product} to the right page, set {field} there ({where}) to the address of this console.`},
}

// clocks are the codes that the clocks of two servers make: a product that its
// vendor runs has the right time.
var clocks = map[string]bool{
	"not_yet_valid": true, "expired": true, "issued_in_future": true, "issued_too_long_ago": true,
}

// remedies are for codes that are not in findings: those of tickets, and those
// with which a login ends after its answer was accepted. They speak to an
// administrator of the organization; the message of such an error speaks to the
// person.
var remedies = map[string]string{
	"unknown_request":          "Start again from the login page. If it happens every time, the identity provider sends responses to the wrong ACS URL, or answers with an InResponseTo of its own.",
	"request_expired":          "Start again from the login page.",
	"request_used":             onceOnly,
	"assertion_replayed":       onceOnly,
	"relay_state_mismatch":     "Start again from the login page. If it happens every time, the identity provider replaces the relay state: remove its default relay state for logins that start here.",
	"invalid_relay_state":      "Log in from the login page here instead; or an administrator allows logins that start at the identity provider in the provider's settings here; or sets the default relay state (start URL) at the identity provider to the address of this console.",
	"unsolicited_after_bounce": `The identity provider answers our request as if nobody had asked. Let it send the request's ID as InResponseTo; or, if it cannot, let logins that start there "be accepted as they are" in its settings here.`,

	"email_missing":                  "Let the identity provider send the person's email address as an attribute, or map the attribute that holds it here.",
	"email_taken":                    "There is an account with this address. Send its person the account link: they log in to that account and open it. Or prove the domain of the address and link it to this identity provider, which links accounts by itself.",
	"unknown_user_sso_login_attempt": "Send the person the signup link, or the account link if they have an account here. Or prove the domain of their address and link it to this identity provider: then nobody needs a link.",
	"user_deactivated":               "The account is deactivated here. Whoever manages it can make it active again.",
	"managed_elsewhere":              "The account belongs to another organization until an administrator there releases the person. The next login through this identity provider takes it in then.",
	"own_login_required":             "Nothing has to be changed. The account has rights that your organization did not give, so it is not linked by its address alone: its person logs in to it and opens the account link, once.",
	"not_a_member":                   "Add the person's account to the organization first, by the address of that account. Then they open the account link again.",
	"identity_linked_elsewhere":      "Another account is linked to this person of the identity provider. They log in to that account and remove its login method, or go on with it.",
	"signup_by_invitation":           "This server lets people sign up by invitation only. Invite the person, or ask the operator of this server.",
	"authentication_method_disabled": "Complete the settings of this identity provider here, and enable it.",
	"authentication_failed":          "The address or the password was not right. Whoever logs in through an identity provider needs no password here: send them its login link.",

	"client_ip_address_policy_violation":              `The authentication policy of your organization admits other addresses only. If the person's is one of yours, add its range to "Admitted address ranges" there.`,
	"user_saml_authentication_method_not_allowed":     waysAdmitted,
	"user_password_authentication_method_not_allowed": waysAdmitted,
	"user_oauth_authentication_method_not_allowed":    waysAdmitted,
	"user_passkey_authentication_method_not_allowed":  waysAdmitted,
	"mfa_required_by_organization":                    "The authentication policy of your organization demands a second factor of those who log in with a password. The person logs in through the identity provider instead.",
	"device_login_not_allowed":                        "The authentication policy of your organization admits no logins by a code that is typed in on another device. The person logs the program in through a browser on the same machine.",
	"mcp_not_allowed":                                 "The authentication policy of your organization admits no MCP clients. It can.",

	"login_expired":            "The person took longer than ten minutes, or came back to a login that was over. They start again from the login page.",
	"login_in_another_browser": "The person began in one browser and ended in another; mail programs and remote desktops do that. They start again in the browser that they want to use.",
	"link_in_another_session":  "The person logged out, or in as somebody else, while linking. They log in to the account that they want to link, and open the account link again.",
	"login_too_old":            "The person logs in again, and opens the account link then.",
}

const waysAdmitted = "The authentication policy of your organization does not admit this way to log in. The person takes another one, or a super admin admits this one there."

const onceOnly = "Start again from the login page. Each response of an identity provider counts once; going back in the browser sends an old one again."
