package api

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the tests compare with: openapi.json and the transcripts")

// document is the published one, read by another implementation.
func (w *world) document(t *testing.T) *openapi3.T {
	t.Helper()
	if w.published != nil {
		return w.published
	}
	r := w.plain("GET", "/openapi.json")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(r.body))
	if err != nil {
		t.Fatalf("load /openapi.json: %v", err)
	}
	w.published = doc
	return doc
}

// checkSchema fails unless an answer fits the published schema. Every answer
// of every test comes by here.
func (w *world) checkSchema(t *testing.T, r *http.Request, got reply) {
	t.Helper()
	doc := w.document(t)
	_, pattern := w.built.mux.Handler(r)
	verb, path, declared := strings.Cut(pattern, " ")
	if got.status == http.StatusTemporaryRedirect || path == "/openapi.json" || r.Method == http.MethodHead {
		return
	}
	if got.status == http.StatusNoContent {
		got.needEmpty(t)
		if declared && doc.Paths.Find(path).GetOperation(verb).Responses.Status(got.status) == nil {
			t.Errorf("%s %s: the published document knows of no empty answer", r.Method, pattern)
		}
		return
	}
	schema := doc.Components.Schemas["Failure"].Value
	if declared {
		responses := doc.Paths.Find(path).GetOperation(verb).Responses
		response := responses.Status(got.status)
		if response == nil {
			response = responses.Default()
		}
		schema = response.Value.Content["application/json"].Schema.Value
	}
	var body any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		t.Fatalf("%s %s: answer %d is not JSON: %v\n%s", r.Method, pattern, got.status, err, got.body)
	}
	if err := schema.VisitJSON(body, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("%s %s: answer %d does not fit the published schema: %v\n%s", r.Method, pattern, got.status, err, got.body)
	}
	fields, _ := body.(map[string]any)
	if _, found := fields["error"]; found {
		t.Errorf("%s: the answer has a key error, which avn dies of", pattern)
	}
	if list, found := fields["errors"]; found && got.status < 400 {
		t.Errorf("%s: a success carries errors %v, which clients take for a failure", pattern, list)
	}
}

func TestSchemaCheckFindsWhatDoesNotFit(t *testing.T) {
	doc := newWorld(t).document(t)
	schema := doc.Components.Schemas["LogInAnswer"].Value
	for name, c := range map[string]struct {
		body map[string]any
		fits bool
	}{
		"whole":       {map[string]any{"state": "active", "token": "t", "user_email": "e"}, true},
		"key missing": {map[string]any{"state": "active", "token": "t"}, false},
		"wrong type":  {map[string]any{"state": "active", "token": "t", "user_email": 1.0}, false},
		"null":        {map[string]any{"state": "active", "token": "t", "user_email": nil}, false},
	} {
		if err := schema.VisitJSON(c.body, openapi3.EnableJSONSchema2020()); (err == nil) != c.fits {
			t.Errorf("%s: got error %v, want fits %v", name, err, c.fits)
		}
	}
}

func TestOpenAPIIsValidAndAsReviewed(t *testing.T) {
	w := newWorld(t)
	got, err := w.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	doc := w.document(t)
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("the document is not valid: %v", err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("got OpenAPI %s, want 3.1.0", doc.OpenAPI)
	}
	const golden = "openapi.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the wire changed; if it should, run the test with -update and review the difference (-was +is):\n%s", diff)
	}
}
