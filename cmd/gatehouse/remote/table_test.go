package remote

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestRowsAreReadOfListsAndOfOne(t *testing.T) {
	for name, c := range map[string]struct {
		answer, key string
		want        int // rows; -1: another shape
	}{
		"a list":            {`{"tokens":[{"a":1},{"a":2}]}`, "tokens", 2},
		"none":              {`{"tokens":[]}`, "tokens", 0},
		"one":               {`{"user":{"a":1}}`, "user", 1},
		"the answer itself": {`{"a":1}`, "", 1},
		"no such key":       {`{"a":1}`, "tokens", -1},
		"a list of texts":   {`{"tokens":["a"]}`, "tokens", -1},
		"no JSON":           {`<html>`, "", -1},
	} {
		rows, err := rowsOf(json.RawMessage(c.answer), c.key)
		if got := len(rows); (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("%s: got %d rows and %v, want %d", name, got, err, c.want)
		}
	}
}

func TestCellsShowValuesAsPeopleReadThem(t *testing.T) {
	var r row
	answer := `{"n":3600,"half":0.5,"yes":true,"no":null,"list":["b","a"],"objects":[{"x":1}],"in":{"deep":{"er":"found"}},
		"made_time":"2026-11-22T20:45:31.123456Z","day_time":"2026-11-22T20:45:31Z","plain":"2026.5Z"}`
	if err := json.Unmarshal([]byte(answer), &r); err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]string{
		"n": "3600", "half": "0.5", "yes": "true", "no": "null", "missing": "null", "list": "b, a", "objects": `{"x":1}`,
		"in.deep.er": "found", "in.nothing": "null", "in": `{"deep":{"er":"found"}}`,
		"made_time": "2026-11-22T20:45:31Z", "day_time": "2026-11-22T20:45:31Z", "plain": "2026.5Z",
	} {
		if got := r.cell(column); got != want {
			t.Errorf("%s: got %q, want %q", column, got, want)
		}
	}
}

// Names and descriptions are other people's words: none may move the cursor,
// hide what follows, or turn the direction of writing.
func TestOtherPeoplesWordsDoNotMoveTheCursor(t *testing.T) {
	for _, bad := range []string{"a\x1b[2Jb", "a\rb", "a\nb", "a\tb", "a\u0007b", "a\u202eb", "a\u200bb", "a\u009bb", "a\u2028b"} {
		for _, got := range []string{row{"name": bad}.cell("name"), row{"names": []any{bad}}.cell("names")} {
			if strings.ContainsAny(got, "\x1b\r\n\t\u0007\u202e\u200b\u009b\u2028") {
				t.Errorf("%q: got %q", bad, got)
			}
		}
		nested := row{"thing": map[string]any{"name": bad}}.cell("thing")
		if strings.ContainsAny(nested, "\x1b\r\n\t\u0007\u202e\u200b\u009b\u2028") {
			t.Errorf("%q in an object: got %q", bad, nested)
		}
		if got := (row{"end_time": bad + "Z"}).cell("end_time"); strings.ContainsAny(got, "\x1b\r\n\t\u0007\u202e\u200b\u009b\u2028") {
			t.Errorf("%q as a time: got %q", bad, got)
		}
	}
	if got, want := plain("Ålesund Örn 日本"), "Ålesund Örn 日本"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWidthsAreCutTheWidestFirst(t *testing.T) {
	for name, c := range map[string]struct {
		widths []int
		room   int
		want   []int
	}{
		"they fit":             {[]int{10, 20}, 32, []int{10, 20}},
		"the widest gives":     {[]int{10, 20}, 27, []int{10, 15}},
		"then both":            {[]int{10, 20}, 18, []int{8, 8}},
		"never below a bound":  {[]int{10, 20}, 5, []int{6, 6}},
		"narrow ones stay":     {[]int{3, 90, 4}, 40, []int{3, 29, 4}},
		"one column":           {[]int{90}, 40, []int{40}},
		"all are narrow":       {[]int{3, 3}, 2, []int{3, 3}},
		"no columns, no room":  {[]int{6}, 0, []int{6}},
		"exactly as much room": {[]int{10, 10}, 22, []int{10, 10}},
	} {
		widths, least := append([]int{}, c.widths...), make([]int, len(c.widths))
		for i, w := range widths {
			least[i] = min(w, narrowest)
		}
		fit(widths, least, c.room)
		if diff := cmp.Diff(c.want, widths); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTablesAlignAndCut(t *testing.T) {
	var out bytes.Buffer
	terminal := &Terminal{Out: &out, Getenv: func(string) string { return "" }}
	rows := []row{{"name": "Ann", "what": "räksmörgås"}, {"name": "Bartholomew", "what": "x"}}
	if err := terminal.table(rows, []string{"name", "what"}); err != nil {
		t.Fatal(err)
	}
	want := "NAME         WHAT\n===========  ==========\nAnn          räksmörgås\nBartholomew  x\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	out.Reset()
	if err := terminal.row([]string{"räksmörgåsar", "b"}, []int{6, 6}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "räksm…  b\n"; got != want || utf8.RuneCountInString(got) != 10 {
		t.Errorf("got %q, want %q", got, want)
	}

	// A wide character takes two columns, and a mark on another one none.
	out.Reset()
	rows = []row{{"name": "東京 🗼", "what": "x"}, {"name": "e\u0301te", "what": "x"}, {"name": "ｗｉｄｅ", "what": "x"}}
	if err := terminal.table(rows, []string{"name", "what"}); err != nil {
		t.Fatal(err)
	}
	want = "NAME      WHAT\n========  ====\n東京 🗼   x\ne\u0301te       x\nｗｉｄｅ  x\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("wide characters (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{"東京都庁舎": "東京…", "a東京都庁": "a東京…", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "🗼🗼🗼": "🗼🗼🗼", "🗼🗼🗼🗼": "🗼🗼…"} {
		if got := cutTo(text, 6); got != want || columnsOf(got) > 6 {
			t.Errorf("%q in 6 columns: got %q, want %q", text, got, want)
		}
	}

	out.Reset()
	if err := terminal.table(nil, []string{"name"}); err != nil || out.Len() != 0 {
		t.Errorf("of no rows: got %q and %v, want nothing", &out, err)
	}
}

// Whoever makes a token sees it once, and ids are there to be copied.
func TestWhatIsCopiedIsNeverCut(t *testing.T) {
	const token, id = "gtp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3", "am0123456789a"
	columns := []string{"description", "authentication_method_id", "token_prefix", "full_token"}
	lines := [][]string{{"DESCRIPTION", "AUTHENTICATION_METHOD_ID", "TOKEN_PREFIX", "FULL_TOKEN"}, {strings.Repeat("long ", 30), id, token[:12], token}}
	for room, want := range map[int][]int{
		400: {150, 24, 12, 50}, 110: {21, 21, 12, 50}, 80: {6, 13, 12, 50}, 1: {6, 13, 12, 50},
	} {
		if diff := cmp.Diff(want, widthsOf(lines, columns, room)); diff != "" {
			t.Errorf("in %d columns (-want +got):\n%s", room, diff)
		}
	}
}

func TestJSONMovesNoCursorAndStaysWhatItWas(t *testing.T) {
	bad := "a\x7f\u0085\u009b2J\u202e\u200b\u2028\U000e0041 日本"
	answer, err := json.Marshal(map[string]string{"name": bad})
	if err != nil {
		t.Fatal(err)
	}
	answer = bytes.ReplaceAll(answer, []byte(`\u2028`), []byte("\u2028")) // as other writers leave it
	var out bytes.Buffer
	if err := (&Terminal{Out: &out}).json(answer); err != nil {
		t.Fatal(err)
	}
	if got := strings.Trim(out.String(), "\n"); strings.ContainsFunc(strings.ReplaceAll(got, "\n", ""), moves) {
		t.Errorf("got %q, want nothing in it that moves a cursor", got)
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["name"] != bad {
		t.Errorf("got %q and %v back, want %q", back["name"], err, bad)
	}
}
