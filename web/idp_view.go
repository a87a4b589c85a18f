package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// An idpView is an identity provider as its administrators see it.
type idpView struct {
	*sso.IdP
	URL          string // of its page
	Status       status
	Added        moment
	Certificates []certificateView
	Risks        []string // what it admits though it should not
	Lifetime     string   // of the sessions that it makes
	LoginURL     string
	SignupURL    string
	LinkURL      string
}

// A status is a state in words, with the look that goes with it.
type status struct {
	Word string
	Look string // ok, wait, off or bad
}

// A certificateView is a certificate that an identity provider signs with.
type certificateView struct {
	Subject     string
	Fingerprint string // SHA-256, in hexadecimal
	Status      status
	Ends        moment
}

// soon is when the end of a certificate begins to be worth a warning.
const soon = 30 * 24 * time.Hour

// allowanceWords say what an allowance admits.
var allowanceWords = map[sso.Allowance]string{
	sso.SHA1:           "SHA-1 is accepted",
	sso.SmallKeys:      "RSA keys under 2048 bits are accepted",
	sso.EmptyReference: "Signatures that do not name what they cover are accepted",
	sso.NoRecipient:    "Confirmations without Recipient are accepted",
}

func (s *site) viewIdP(i *sso.IdP) idpView {
	v := idpView{
		IdP:       i,
		URL:       idpURL(i),
		Added:     s.moment(i.CreatedAt),
		Lifetime:  "As long as the server's default",
		LoginURL:  s.Base + loginPath(i.ID),
		SignupURL: s.Base + "/signup/" + i.ID,
		LinkURL:   s.Base + "/link/" + i.ID,
	}
	if i.TokenMaxAge > 0 {
		v.Lifetime = lifetimeWords(i.TokenMaxAge)
	}
	for _, a := range i.Allowed() {
		v.Risks = append(v.Risks, allowanceWords[a])
	}
	for _, c := range i.CertificateInfos() {
		v.Certificates = append(v.Certificates, s.viewCertificate(c))
	}
	v.Status = statusOf(i, v.Certificates)
	return v
}

func (s *site) viewCertificate(c sso.CertificateInfo) certificateView {
	v := certificateView{Subject: c.Subject, Fingerprint: c.Fingerprint, Ends: s.moment(c.NotAfter)}
	left := c.NotAfter.Sub(s.Now())
	switch {
	case left <= 0:
		v.Status = status{"Expired " + v.Ends.Words, "bad"}
	case left < soon:
		v.Status = status{"Expires " + v.Ends.Words, "wait"}
	default:
		v.Status = status{"Valid", "ok"}
	}
	return v
}

// statusOf says what an administrator wants to know first. A certificate past
// its end still counts, since what is trusted is the key; but it is a sign
// that the identity provider is about to change it.
func statusOf(i *sso.IdP, certificates []certificateView) status {
	switch {
	case i.State == sso.Pending:
		return status{"Set-up not finished", "wait"}
	case !i.Enabled:
		return status{"Disabled", "off"}
	}
	for _, c := range certificates {
		if c.Status.Look != "ok" {
			return status{"Enabled, certificate " + strings.ToLower(c.Status.Word[:1]) + c.Status.Word[1:], "wait"}
		}
	}
	return status{"Enabled", "ok"}
}

// lifetimeWords puts a lifetime into words.
func lifetimeWords(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}

// Pending reports whether the identity provider's side is missing yet.
func (v idpView) Pending() bool { return v.State == sso.Pending }

// Mapped lists what is mapped, for people.
func (v idpView) Mapped() []pair {
	var out []pair
	for _, m := range []pair{
		{"Email address", v.Mapping.Email},
		{"First name", v.Mapping.FirstName},
		{"Last name", v.Mapping.LastName},
		{"Full name", v.Mapping.RealName},
		{"Identity", v.Mapping.Identity},
		{"Groups", v.Mapping.Groups},
	} {
		if m.Value != "" {
			out = append(out, m)
		}
	}
	return out
}

// A pair is a name and a value.
type pair struct{ Name, Value string }

// Copy makes a value to copy, for the part "copy".
func (v idpView) Copy(id, label, hint, value string) copyable {
	return copyable{"copy-" + id, label, hint, value}
}

// A copyable is a value that people carry elsewhere.
type copyable struct{ ID, Label, Hint, Value string }

// idp finds the identity provider that a console path names, in the visitor's
// organization alone.
func (s *site) idp(r *http.Request, v gate.Visit) (*sso.IdP, error) {
	i, err := s.IdPs.Get(r.Context(), v.Organization, r.PathValue("method"))
	return i, notHere(v, err)
}

// notHere says that an identity provider is not there in words that fit the
// console; other errors stay.
func notHere(v gate.Visit, err error) error {
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	return fault.NotFound.Errorf("%s has no identity provider at this address. It may have been deleted.", v.Organization.Name).Coded("identity_provider_not_found").Because(err)
}

// idpsURL is the list of an organization's identity providers.
func idpsURL(o account.Organization) string { return organizationURL(o) + "/identity-providers" }

// idpURL is an identity provider's page.
func idpURL(i *sso.IdP) string {
	return "/organization/" + i.OrganizationID + "/identity-providers/" + i.ID
}
