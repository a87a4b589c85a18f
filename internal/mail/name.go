package mail

import (
	"regexp"
	"strings"
	"unicode"
)

// mostShown is how many characters of a name a mail shows.
const mostShown = 60

// leftOut stands for what mail programs would make a link of.
const leftOut = "(left out)"

// linkish is what mail programs make links of, or come close to: an address
// with its scheme or its www, and whatever has a full stop, of any script,
// before letters. Initials ("J.R. Smith") are no such thing.
var linkish = regexp.MustCompile(`(?i)://|www[.\x{3002}\x{FF0E}\x{FF61}]|[.\x{2024}\x{3002}\x{FF0E}\x{FF61}](?:\pL\pM*){2}|[.\x{2024}\x{3002}\x{FF0E}\x{FF61}]xn--`)

// plainName is a name that somebody chose, as a mail may quote it: a line of at
// most 60 characters, in which nothing looks like an address to go to, and
// which cannot close the quotation marks around it. Otherwise a stranger could
// have us mail their advertisement to anybody.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zl, unicode.Zp) && !unicode.IsSpace(r):
			return -1 // such as a space of no width, which would hide an address
		case unicode.IsSpace(r):
			return ' '
		case strings.ContainsRune("\"\u201c\u201d\u201e\u201f\u00ab\u00bb", r):
			return '\''
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	words := strings.Fields(name)
	for i, w := range words {
		if linkish.MatchString(w) {
			words[i] = leftOut
		}
	}
	line := []rune(strings.Join(words, " "))
	if len(line) > mostShown {
		line = append(line[:mostShown-1], '…')
	}
	return string(line)
}
