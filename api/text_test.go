package api

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestTextIsCheckedWithoutMisreadingEscapes(t *testing.T) {
	for _, c := range []struct {
		name, body, field string // field is "" where the text is good
	}{
		{"plain", `{"a":"b"}`, ""},
		{"written backslash", `{"a":"\\u0000"}`, ""},
		{"backslash, then NUL", `{"a":"\\\u0000"}`, "a"},
		{"pair", `{"a":"\ud83d\ude00"}`, ""},
		{"pair in capitals", `{"a":"\uD83D\uDE00"}`, ""},
		{"half a pair, then text", `{"a":"\ud83dx"}`, "a"},
		{"half a pair, then an escape", `{"a":"\ud83d\n"}`, "a"},
		{"half a pair, then another letter", `{"a":"\ud83d\u0041"}`, "a"},
		{"replacement character", `{"a":"` + "\ufffd" + `\ufffd"}`, ""},
		{"overlong", "{\"a\":\"\xc0\x80\"}", "a"},
		{"UTF-8 of a surrogate", "{\"a\":\"\xed\xa0\x80\"}", "a"},
		{"cut at the end", "{\"a\":\"\xe2\x82", "body"},
		{"cut escape", `{"a":"\u00`, ""}, // JSON's business
		{"backslash at the end", `{"a":"\`, ""},
		{"in a list", `{"a":[{"b":"x"},{"b":"\u0000"}]}`, "a[1].b"},
		{"the first by name", `{"b":"\u0000","a":"\u0000"}`, "a"},
		{"under a strange name", `{"<b>":{"a":"\u0000"}}`, "body"},
		{"in no object", `"\u0000"`, "body"},
	} {
		err := checkText([]byte(c.body))
		var e *fault.Error
		if got := errors.As(err, &e); got != (c.field != "") {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		if e != nil && (e.Field != c.field || e.Kind != fault.Invalid) {
			t.Errorf("%s: got %s at %q, want it at %q", c.name, e.Kind, e.Field, c.field)
		}
	}
}

// FuzzCheckText: what passes is read without anything being replaced.
func FuzzCheckText(f *testing.F) {
	for _, seed := range []string{`{"a":"\ud83d\ude00"}`, `"\\u0000"`, "\"\xff\"", `"\ud800\u0000"`, `["\udc00"]`, `"\u`, `"\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if checkText(body) != nil || !json.Valid(body) {
			return
		}
		var v any
		if json.Unmarshal(body, &v) != nil {
			return // a number out of range
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Contains(string(body), "\ufffd") || strings.Contains(strings.ToLower(string(body)), `\ufffd`)
		if strings.Contains(string(again), `\u0000`) && !strings.Contains(string(body), `\\u0000`) {
			t.Errorf("NUL passed: %q", body)
		}
		if strings.Contains(string(again), "\ufffd") && !said {
			t.Errorf("text was replaced: %q became %q", body, again)
		}
	})
}
