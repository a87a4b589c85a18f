package login

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// masked stands for what is not shown unless asked for.
const masked = "••••"

// Masked is a trace without what it says of the person. What it says of the
// attributes is their names, and how many values each has. Of a refusal's words
// are left those that name nobody.
func (t Told) Masked() Told {
	mask := func(s *string) {
		if *s != "" {
			*s = masked
		}
	}
	names := t.names()
	t.Story.Message = without(t.Story.Message, names)
	mask(&t.Story.Email)
	if t.Story.Report == nil {
		return t
	}
	r := *t.Story.Report
	for _, s := range []*string{&r.NameID.Value, &r.Email, &r.FirstName, &r.LastName, &r.RealName} {
		mask(s)
	}
	r.Groups = maskedList(r.Groups)
	r.Attributes = map[string][]string{}
	for name, values := range t.Story.Report.Attributes {
		r.Attributes[name] = maskedList(values)
	}
	r.Judgements = slices.Clone(r.Judgements)
	for i := range r.Judgements {
		j := &r.Judgements[i]
		j.Message = without(j.Message, names)
		if j.Personal {
			mask(&j.Got)
		}
	}
	t.Story.Report = &r
	return t
}

func maskedList(values []string) []string {
	out := make([]string, len(values))
	for i := range out {
		out[i] = masked
	}
	return out
}

// names are the words by which a refusal may name the person, the longest
// first. The subject may be the value of any attribute.
func (t Told) names() []string {
	out := []string{t.Story.Email}
	if r := t.Story.Report; r != nil {
		out = append(out, r.NameID.Value, r.Email, r.RealName, r.FirstName+" "+r.LastName, r.FirstName, r.LastName)
		for _, values := range r.Attributes {
			out = append(out, values...)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return out
}

// addresses are email addresses in a text: a refusal may name the account's,
// which is not in the response.
var addresses = regexp.MustCompile(`[^\s()<>,"]+@[^\s()<>,"]+`)

// without leaves words, and all email addresses, out of a text.
func without(text string, words []string) string {
	text = addresses.ReplaceAllStringFunc(text, func(found string) string {
		return masked + found[len(strings.TrimRight(found, ".:;!?")):]
	})
	for _, w := range words {
		if w = strings.TrimSpace(w); w == "" || !strings.Contains(text, w) {
			continue
		}
		whole := regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(w) + `($|[^\pL\pN])`)
		text = whole.ReplaceAllString(text, "${1}"+masked+"${2}")
	}
	return text
}

// elsewhere is a trace for somebody outside the organization: where the browser
// was, and which, is the organization's own business, and a refusal by a policy
// names the first.
func (t Told) elsewhere() Told {
	if ip := t.Story.IP; ip.IsValid() {
		t.Story.Message = strings.ReplaceAll(t.Story.Message, ip.String(), masked)
		if t.Story.Report != nil {
			r := *t.Story.Report
			r.Judgements = slices.Clone(r.Judgements)
			for i := range r.Judgements {
				r.Judgements[i].Message = strings.ReplaceAll(r.Judgements[i].Message, ip.String(), masked)
			}
			t.Story.Report = &r
		}
	}
	t.Story.IP, t.Story.UserAgent, t.Response = netip.Addr{}, "", nil
	return t
}
