package remote

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// A row is one object of an answer.
type row map[string]any

// rowsOf gives the objects that are under a key of an answer, or the answer
// itself: a list of them, or one.
func rowsOf(answer json.RawMessage, key string) ([]row, error) {
	if key != "" {
		var whole map[string]json.RawMessage
		if err := json.Unmarshal(answer, &whole); err != nil || whole[key] == nil {
			return nil, errShape
		}
		answer = whole[key]
	}
	var many []row
	if err := json.Unmarshal(answer, &many); err == nil {
		return many, nil
	}
	var one row
	if err := json.Unmarshal(answer, &one); err != nil {
		return nil, errShape
	}
	return []row{one}, nil
}

// cell is a value as a table shows it. Dots lead into objects.
func (r row) cell(column string) string {
	name, rest, deeper := strings.Cut(column, ".")
	value := r[name]
	if inner, is := value.(map[string]any); is && deeper {
		return row(inner).cell(rest)
	}
	return shown(value, name)
}

func shown(value any, name string) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		// Times to the second, as nobody reads more.
		if strings.HasSuffix(name, "_time") && strings.HasSuffix(v, "Z") {
			whole, _, _ := strings.Cut(strings.TrimSuffix(v, "Z"), ".")
			return plain(whole) + "Z"
		}
		return plain(v)
	case float64:
		if v == float64(int64(v)) {
			return fmt.Sprint(int64(v))
		}
		return fmt.Sprint(v)
	case []any:
		all := make([]string, len(v))
		for i, one := range v {
			all[i] = shown(one, name)
		}
		return strings.Join(all, ", ")
	case map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			return "…"
		}
		return plain(string(text))
	}
	return fmt.Sprint(value)
}

// plain takes from a text what would move a terminal's cursor: names and
// descriptions are other people's words.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if moves(c) {
			return '·'
		}
		return c
	}, s)
}

// moves reports whether a character does something to a terminal, or to the
// text around it, instead of being shown.
func moves(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

// columnsOf says how many columns of a terminal a text takes: East Asian wide
// characters and most emoji take two (Unicode, annex 11), marks that go onto
// the character before them none.
func columnsOf(s string) int {
	n := 0
	for _, c := range s {
		n += columnsOfRune(c)
	}
	return n
}

func columnsOfRune(c rune) int {
	if unicode.In(c, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cutTo gives as much of a text as fits into some columns, and a sign that
// there is more.
func cutTo(s string, room int) string {
	if columnsOf(s) <= room {
		return s
	}
	left := room - 1 // for the sign
	for i, c := range s {
		if left -= columnsOfRune(c); left < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// table prints rows under the names of their columns; nothing where there are
// no rows. Columns that do not fit are cut, the widest first; what commands
// are given to name things by never is, even if a line gets too long by it.
func (t *Terminal) table(rows []row, columns []string) error {
	if len(rows) == 0 {
		return nil
	}
	lines := make([][]string, 0, len(rows)+1)
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = strings.ToUpper(c)
	}
	lines = append(lines, head)
	for _, r := range rows {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = r.cell(c)
		}
		lines = append(lines, line)
	}
	widths := widthsOf(lines, columns, t.width())
	rule := make([]string, len(columns))
	for i, w := range widths {
		rule[i] = strings.Repeat("=", w)
	}
	for _, line := range slices.Insert(lines, 1, rule) {
		if err := t.row(line, widths); err != nil {
			return err
		}
	}
	return nil
}

// widthsOf says how wide the columns of some lines are made, the first of them
// the head.
func widthsOf(lines [][]string, columns []string, room int) []int {
	widths, least := make([]int, len(columns)), make([]int, len(columns))
	for at, line := range lines {
		for i, text := range line {
			w := columnsOf(text)
			widths[i] = max(widths[i], w)
			if at == 0 || !isCopied(columns[i]) {
				w = min(w, narrowest)
			}
			least[i] = max(least[i], w)
		}
	}
	fit(widths, least, room)
	return widths
}

// narrowest is how narrow a column is made at most.
const narrowest = 6

// isCopied reports whether a column holds what people copy into their next
// command, or can read this once only: half of it would be worth nothing.
func isCopied(column string) bool {
	return strings.HasSuffix(column, "_id") || column == "token_prefix" || column == "full_token"
}

// fit makes columns narrower, the widest first, until they fit with two blanks
// between them, or each is as narrow as it may be.
func fit(widths, least []int, room int) {
	for {
		total, widest := 2*(len(widths)-1), -1
		for i, w := range widths {
			total += w
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if total <= room || widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (t *Terminal) row(line []string, widths []int) error {
	var b strings.Builder
	for i, text := range line {
		text = cutTo(text, widths[i])
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(text)
		if i < len(line)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-columnsOf(text)))
		}
	}
	return t.line("%s", b.String())
}
