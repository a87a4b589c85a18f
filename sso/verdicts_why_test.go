package sso_test

import (
	"path/filepath"
	"strings"

	"gatehouse/sso/internal/samltest"
)

// crewjamTakes says why crewjam/saml takes what we refuse with a code, unless
// crewjamTakesThis says it of the document.
var crewjamTakes = map[string]string{
	"assertion_misplaced":        "it reads the assertions of the response alone, and leaves others where they are",
	"assertion_not_signed":       "it is satisfied with one signature",
	"attribute_conflict":         "it maps no attributes",
	"attribute_encrypted":        "it leaves encrypted attributes out",
	"audience_mismatch":          "one of several restrictions is enough for it",
	"audience_missing":           "it demands no AudienceRestriction",
	"authn_context_insufficient": "it compares no AuthnContext",
	"authn_not_fresh":            "it compares no AuthnInstant",
	"condition_unknown":          "it ignores conditions that it does not know",
	"decryption_failed":          "it leaves an encrypted name as it is, and names nobody",
	"destination_mismatch":       "its parser takes an attribute of any namespace, the last one",
	"element_missing":            "it misses neither AuthnInstant nor an attribute's Name",
	"element_repeated":           "of several elements its parser takes the last",
	"element_unexpected":         "its parser looks at no namespace, or ignores what it does not know",
	"encryption_malformed":       "it leaves an encrypted name as it is, and names nobody",
	"encryption_refused":         "it leaves an encrypted name as it is, and names nobody",
	"expired":                    "60 seconds past is within its 60 seconds",
	"id_duplicate":               "it compares no ids",
	"id_invalid":                 "it demands no ids of what is not signed",
	"in_response_to_mismatch":    "where unsolicited responses may be, it looks at no InResponseTo",
	"issued_in_future":           "it refuses what was issued long ago only",
	"key_too_small":              "it takes keys of 1024 bits",
	"name_id_encrypted":          "it does not look at the format of names",
	"name_id_missing":            "it returns an empty name, or none",
	"name_qualifier_mismatch":    "it does not look at SPNameQualifier",
	"no_authn_statement":         "it demands no AuthnStatement",
	"no_bearer":                  "it demands no confirmation, and looks at none's method",
	"no_identity":                "it maps no attributes, and takes a transient name for a name",
	"not_yet_valid":              "it does not look at NotBefore of a confirmation",
	"reference_invalid":          "an empty reference, or none, counts for whatever element it looks at",
	"session_ended":              "it does not look at SessionNotOnOrAfter",
	"several_assertions":         "it takes the first assertion that holds and skips the others",
	"sha1_refused":               "it takes SHA-1",
	"signature_malformed":        "it reads of a signature what it knows",
	"time_invalid":               "it reads a time without zone as UTC",
	"transform_refused":          "it takes the inclusive forms of whatever is signed, and looks into none of them",
	"version_unsupported":        "it does not look at Version",
	"wrong_key":                  "where the response is signed, it does not look at the assertion's signature",
	"xml_attribute":              "its parser takes the last of two attributes",
	"xml_cdata":                  "its parsers join what is around CDATA",
	"xml_comment":                "its parsers leave comments out, and read the whole text",
	"xml_doctype":                "its parsers skip document types",
	"xml_encoding":               "it reads UTF-8, whatever is declared",
	"xml_instruction":            "its parsers skip instructions",
	"xml_malformed":              "its parsers stop behind the root, and forgive missing blanks",
	"xml_namespace":              "its parsers resolve references there, and let prefixes be emptied",
}

// crewjamTakesThis are of the corpus and of cases that stand out.
var crewjamTakesThis = map[string]string{
	"bad/two-references":               "it looks at the first reference that fits",
	"bad/no-confirmation":              "it demands no confirmation",
	"corpus/polis-mocksaml":            "it demands no confirmation",
	"bad/response-signed-only":         "it is satisfied with one signature",
	"bad/foreign-element-in-signature": "it leaves out what it does not know, and needs no KeyInfo where it has one certificate",
}

// crewjamRefuses says why it refuses a captured response that we take.
var crewjamRefuses = map[string]string{
	"corpus/java-response-adfs1":                           "it demands valid dates of certificates",
	"corpus/oktadev-09":                                    "a missing end counts as past",
	"corpus/oktadev-10":                                    "a missing end counts as past",
	"corpus/dex-good":                                      "it demands valid dates of certificates",
	"corpus/onelogin09-022":                                "it demands valid dates of certificates",
	"corpus/onelogin09-093":                                "it demands valid dates of certificates",
	"corpus/py-double-signed-response":                     "it demands valid dates of certificates",
	"corpus/py-valid-response":                             "it demands valid dates of certificates",
	"corpus/py-valid-response-with-namequalifier":          "it demands valid dates of certificates",
	"corpus/pysaml2-signed-assertion-random-embedded-cert": "it believes KeyInfo",
	"corpus/py-response-without-reference-uri":             "it knows the last Audience only",
	"corpus/ruby-duplicated-attributes":                    "it demands valid dates of certificates",
	"corpus/ruby-no-issuer-response":                       "it demands valid dates of certificates",
	"corpus/samael-response-signed-assertion":              "it demands valid dates of certificates",
}

// xmlsecSays says why xmlsec1 finds valid signatures in what we refuse with a
// code; for all others, it is that it looks at signatures alone.
var xmlsecSays = map[string]string{
	"assertion_misplaced": "the signature that is there holds; what else is there it does not ask",
	"id_duplicate":        "the reference leads to one of the elements, and what it covers is what was signed",
	"key_too_small":       "it takes keys of 1024 bits",
	"reference_invalid":   "a reference of another form leads somewhere too, and that holds",
	"several_assertions":  "the signature that is there holds; what else is there it does not ask",
	"sha1_refused":        "it takes SHA-1",
	"signature_malformed": "it reads of a signature what it knows, and that holds",
	"signature_misplaced": "a signature holds wherever it stands",
	"transform_refused":   "it knows more transforms",
	"xml_comment":         "the canonical form leaves comments out",
	"xml_encoding":        "the bytes are the same in the encoding that is declared",
	"xml_cdata":           "the canonical form has text for CDATA",
	"xml_malformed":       "its parser reads XML 1.1 as 1.0",
	"xml_namespace":       "its parser warns, and goes on",
}

// xmlsecMisses says why it finds no valid signature in what we take.
func xmlsecMisses(j judged) string {
	switch {
	case j.xmlsec1 == "none" && strings.HasPrefix(j.name, "good/encrypted"):
		return "the signature is inside the encrypted assertion"
	case j.name == "good/ecdsa-asn1":
		return "it takes r and s side by side only"
	}
	return ""
}

// whyTheyDiffer gives the reason, or nothing if none is known.
func whyTheyDiffer(j judged) string {
	var why []string
	say := func(who, reason string) bool {
		why = append(why, who+": "+reason)
		return reason != ""
	}
	ours, known := j.ours == "accept", true
	if crewjam := j.crewjam == "accept"; crewjam != ours {
		reason := crewjamRefuses[j.name]
		if name, ok := strings.CutPrefix(j.name, "good/"); ok {
			reason = ""
			if c, err := samltest.Read(filepath.Join(cases, "good", name)); err == nil {
				reason = crewjamCannotRead(c)
			}
		}
		if crewjam {
			reason = crewjamTakesThis[j.name]
			if reason == "" {
				reason = crewjamTakes[j.ours]
			}
		}
		known = say("crewjam/saml", reason) && known
	}
	switch valid := j.xmlsec1 == "valid"; {
	case valid && !ours:
		reason := xmlsecSays[j.ours]
		if reason == "" {
			reason = "it looks at signatures alone"
		}
		say("xmlsec1", reason)
	case !valid && ours:
		known = say("xmlsec1", xmlsecMisses(j)) && known
	}
	if !known {
		return ""
	}
	return strings.Join(why, "; ")
}
