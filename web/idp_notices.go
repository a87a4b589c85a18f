package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/sso"
)

// A notice is something about an identity provider that an administrator should
// see to.
type notice struct {
	Provider string
	Text     string
	URL      string // where one sees to it
	Link     string // the words of the link
}

// stageWords say how near an end is.
var stageWords = map[sso.Stage]string{
	sso.Within30: "ends within 30 days", sso.Within7: "ends within a week", sso.Within1: "ends within a day", sso.Over: "has ended",
}

// notices are what there is to see to of an identity provider: certificates
// that end, and metadata that changed or cannot be fetched.
func (s *site) notices(r *http.Request, i *sso.IdP) ([]notice, error) {
	var out []notice
	for _, w := range i.CertificateWarnings(s.Now()) {
		n := notice{Provider: i.Name, URL: idpURL(i) + "/metadata", Link: "Follow its metadata"}
		n.Text = "A certificate that it signs with " + stageWords[w.Stage] + ", on " + s.moment(w.NotAfter).Exact + "."
		if w.Side == sso.OurSide {
			n.Text = "Our certificate towards it " + stageWords[w.Stage] + ", on " + s.moment(w.NotAfter).Exact + "."
			n.URL, n.Link = idpURL(i)+"/keys", "Change our key"
		}
		if !w.Until.IsZero() {
			n.Text += " Another one is set already, until " + s.moment(w.Until).Exact + "."
		} else if w.Side == sso.TheirSide && i.IdPMetadataURL != "" {
			n.Link = "Look at its metadata"
		}
		out = append(out, n)
	}
	if i.IdPMetadataURL == "" || s.IdPs.Refreshes == nil {
		return out, nil
	}
	known, err := s.IdPs.Refreshes.State(r.Context(), i)
	if known.Pending != nil {
		out = append(out, notice{i.Name, "Its metadata says something else than is set. The change waits for approval.", idpURL(i) + "/metadata", "Look at the change"})
	}
	if known.Failures > 0 {
		out = append(out, notice{i.Name, "Its metadata cannot be fetched. What is set stays.", idpURL(i) + "/metadata", "See why"})
	}
	return out, err
}

// allNotices are those of all identity providers of an organization that people
// come in through.
func (s *site) allNotices(r *http.Request, v gate.Visit) ([]notice, error) {
	list, err := s.IdPs.List(r.Context(), v.Organization)
	if err != nil {
		return nil, err
	}
	var out []notice
	for _, i := range list {
		if !i.Admits() {
			continue
		}
		some, err := s.notices(r, i)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}
