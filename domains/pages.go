package domains

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/internal/fetch"
)

// The bounds of a page that proves a claim.
const (
	mostPage   = 4 << 10
	pageWithin = 10 * time.Second
)

// mostValues is how many values a Look gives.
const mostValues = 100

// NewPageClient makes what pages are fetched with.
func NewPageClient(userAgent string) *fetch.Client {
	return &fetch.Client{Most: mostPage, Within: pageWithin, UserAgent: userAgent}
}

// Pages looks at web sites: at the one page of a domain that proves a claim.
type Pages struct {
	Client *fetch.Client // as NewPageClient makes it
}

// TXT gives the lines of a domain's page, without space around them. A page
// that is not there, is too large, or is kept elsewhere is no proof, and that
// is sure: who runs the domain's web site says so. Everything else that goes
// wrong leaves it open.
func (p *Pages) TXT(ctx context.Context, name string) Look {
	page, err := p.Client.Get(ctx, pageOf(name))
	var l Look
	for _, s := range page.Steps {
		l.Asked = append(l.Asked, Query{Server: s.URL, Network: "https", Name: name, Type: "GET", Outcome: s.Outcome, Took: s.Took})
	}
	if err != nil {
		l.Unsure = !saysNo(err)
		if len(l.Asked) == 0 {
			l.Asked = []Query{{Server: pageOf(name), Network: "https", Name: name, Type: "GET", Outcome: err.Error()}}
		}
		return l
	}
	text := strings.TrimPrefix(string(page.Body), "\ufeff") // some editors put it there
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(strings.ToValidUTF8(line, "�")); line != "" && len(l.Values) < mostValues {
			l.Values = append(l.Values, line)
		}
	}
	l.Asked[len(l.Asked)-1].Records = len(l.Values)
	return l
}

// saysNo says whether a page that was not fetched is surely not the proof.
func saysNo(err error) bool {
	var failed *fetch.Error
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Reason {
	case fetch.NoHost, fetch.Elsewhere, fetch.TooLarge:
		return true
	case fetch.Status:
		return failed.Code == http.StatusNotFound || failed.Code == http.StatusGone
	}
	return false
}

// pageOf is the address of the page that proves a claim to a domain.
func pageOf(name string) string { return "https://" + name + pagePath }
