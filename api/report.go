package api

import (
	"maps"
	"slices"

	"gatehouse/sso"
)

// A report says how a response stands to each check.
type report struct {
	_          struct{} `nullable:"true"`
	Accepted   bool     `json:"accepted" doc:"Whether it would let the person in, as far as the response goes."`
	Code       *string  `json:"error_code"`
	Signed     bool     `json:"signed" doc:"Whether a key of the method signed it. Otherwise all of this is what anybody may have written."`
	Encrypted  bool     `json:"encrypted"`
	Requested  bool     `json:"requested_here" doc:"Whether it names a request that was made here."`
	Vendor     string   `json:"vendor" enum:"okta,auth0,entra_id,google,fusionauth,jumpcloud,onelogin,keycloak,adfs,generic" doc:"A guess."`
	VendorName string   `json:"vendor_name"`
	Issuer     *string  `json:"issuer" doc:"As the response says."`
	Signer     *string  `json:"signing_certificate_sha256"`

	Checks   []check  `json:"checks" doc:"In the order in which they are made."`
	Warnings []string `json:"warnings" doc:"What was admitted, and should be mended."`

	Shown      bool              `json:"attributes_shown"`
	NameID     *string           `json:"name_id"`
	Format     *string           `json:"name_id_format"`
	Email      *string           `json:"user_email" doc:"As it was found by the method's field mapping, as are the next four."`
	FirstName  *string           `json:"first_name"`
	LastName   *string           `json:"last_name"`
	RealName   *string           `json:"real_name"`
	Groups     []string          `json:"groups"`
	Attributes []reportAttribute `json:"attributes" doc:"By name. Values are masked unless asked for."`
}

// A check is how a response stands to one rule.
type check struct {
	Name     string  `json:"name" example:"audience"`
	Result   string  `json:"result" enum:"pass,fail,not_judged"`
	Expected *string `json:"expected"`
	Got      *string `json:"got"`
	Code     *string `json:"error_code"`
	Message  *string `json:"message"`
	Remedy   *string `json:"remedy"`
}

type reportAttribute struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

func newReport(r *sso.Report, vendor sso.Vendor, shown bool) report {
	out := report{
		Accepted: r.Accepted, Code: orNull(r.Code), Signed: r.Signed, Encrypted: r.Encrypted, Requested: r.Ours,
		Vendor: string(vendor), VendorName: vendor.Name(), Issuer: orNull(r.Issuer), Signer: orNull(r.Signer),
		Checks: []check{}, Warnings: append([]string{}, r.Warnings...), Shown: shown,
		NameID: orNull(r.NameID.Value), Format: orNull(r.NameID.Format), Email: orNull(r.Email),
		FirstName: orNull(r.FirstName), LastName: orNull(r.LastName), RealName: orNull(r.RealName),
		Groups: append([]string{}, r.Groups...), Attributes: []reportAttribute{},
	}
	for _, j := range r.Judgements {
		c := check{
			Name: j.Rule, Result: string(j.Result), Expected: orNull(j.Expected), Got: orNull(j.Got),
			Code: orNull(j.Code), Message: orNull(j.Message),
		}
		if j.Result == sso.Fail {
			c.Remedy = orNull(sso.Remedy(j.Code, vendor))
		}
		out.Checks = append(out.Checks, c)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		out.Attributes = append(out.Attributes, reportAttribute{name, append([]string{}, r.Attributes[name]...)})
	}
	return out
}
