package sso

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// maxResponse is how large a decoded response may be.
const maxResponse = 256 << 10

// DecodeResponse decodes the SAMLResponse field of a form: standard base64 in
// which line breaks and blanks do not count (SAML Bindings, 3.5.4). The result
// has at most 256 KiB. An error is a *Rejection.
func DecodeResponse(form string) ([]byte, error) {
	if strings.ContainsAny(form, " \t") {
		// The decoder itself skips line breaks, but not these.
		form = strings.NewReplacer(" ", "", "\t", "").Replace(form)
	}
	if strings.Trim(form, "\r\n") == "" {
		return nil, reject("response_empty", "", "")
	}
	if base64.StdEncoding.DecodedLen(len(form)) > maxResponse+maxResponse/16 {
		return nil, reject("response_too_large", "at most 262144 bytes", strconv.Itoa(len(form))+" characters of base64")
	}
	raw, err := base64.StdEncoding.DecodeString(form)
	if err != nil {
		return nil, reject("response_not_base64", "", err.Error())
	}
	if len(raw) > maxResponse {
		return nil, reject("response_too_large", "at most 262144 bytes", strconv.Itoa(len(raw))+" bytes")
	}
	return raw, nil
}
