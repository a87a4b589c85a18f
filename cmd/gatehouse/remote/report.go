package remote

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// Width is how many columns there are to print on.
func (t *Terminal) Width() int { return t.width() }

// Watched reports whether somebody sees what is said on Err meanwhile.
func (t *Terminal) Watched() bool {
	f, isFile := t.Err.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}

// Wrap gives a text in lines of at most room columns, without what would move
// a terminal's cursor. It breaks where blanks are; a word that is longer than a
// line has one of its own, and is not cut: people copy addresses and commands.
func Wrap(text string, room int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(plain(text)) {
		switch {
		case line == "":
			line = word
		case columnsOf(line)+1+columnsOf(word) <= room:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
