package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// nul is what stands for bad text, once it was found.
const nul = `\u0000`

// checkText refuses bodies with text that is not Unicode (invalid UTF-8, half
// a surrogate pair), which encoding/json would silently replace, so that two
// different passwords could be the same; and with NUL, which no database of
// ours takes. It returns fault.Invalid at the field.
func checkText(body []byte) error {
	marked := markBadText(body)
	if marked == nil {
		return nil
	}
	field := "body"
	var v any
	if json.Unmarshal(marked, &v) == nil {
		if path := findNUL(v, ""); path != "" {
			field = path
		}
	}
	return fault.Invalid.Errorf("This is not valid text: it holds a NUL character, or bytes that are not UTF-8.").At(field)
}

// markBadText gives the body with NUL in place of each piece of bad text, or
// nil if there is none.
func markBadText(body []byte) []byte {
	var marked []byte
	done := 0
	for i := 0; i < len(body); {
		n, good := 1, true
		switch c := body[i]; {
		case c == 0:
			good = false
		case c == '\\':
			n, good = checkEscape(body[i:])
		case c >= utf8.RuneSelf:
			var r rune
			r, n = utf8.DecodeRune(body[i:])
			good = r != utf8.RuneError || n != 1
		}
		if !good {
			marked = append(append(marked, body[done:i]...), nul...)
			done = i + n
		}
		i += n
	}
	if marked == nil {
		return nil
	}
	return append(marked, body[done:]...)
}

// checkEscape gives the length of the escape sequence at the head of b, and
// whether it stands for a character that may be in a text. Sequences that are
// not JSON are left for its parser.
func checkEscape(b []byte) (n int, good bool) {
	first, ok := hexEscape(b)
	if !ok {
		return min(2, len(b)), true
	}
	if !utf16.IsSurrogate(first) {
		return 6, first != 0
	}
	if second, ok := hexEscape(b[6:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
		return 12, true
	}
	return 6, false
}

// hexEscape reads a \uXXXX at the head of b.
func hexEscape(b []byte) (rune, bool) {
	if len(b) < 6 || !bytes.HasPrefix(b, []byte(`\u`)) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(v), err == nil
}

// findNUL gives the path of the first text with NUL in v, or "".
func findNUL(v any, path string) string {
	switch v := v.(type) {
	case string:
		if strings.ContainsRune(v, 0) {
			return path
		}
	case []any:
		for i, item := range v {
			if found := findNUL(item, path+"["+strconv.Itoa(i)+"]"); found != "" {
				return found
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !isFieldName(name) {
				continue
			}
			if found := findNUL(v[name], strings.TrimPrefix(path+"."+name, ".")); found != "" {
				return found
			}
		}
	}
	return ""
}

// isFieldName reports whether a field of ours could have this name: no other
// name is repeated to the caller.
func isFieldName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
