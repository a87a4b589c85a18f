package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// A transcript is an archive of requests and answers in turn, against one
// server with a fixed clock and ids that count. A request file is named after
// what happens, and holds a verb and a path, headers, an empty line and a
// body; an answer holds the status, the headers that clients act on, and the
// body. A header "Wait: 10m" lets time pass before, and "Publish: name value"
// has DNS say so from then on. <token 1> stands for the first token that was
// given, in both, <prefix 1> for its first 12 characters, and <challenge 1> for
// the first challenge of a domain.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/api/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d transcripts: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, archive)
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// play sends the requests of a transcript and writes it anew.
func play(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	w := newWorld(t)
	secrets := &secrets{}
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if f.Name == "answer" {
			continue
		}
		head, body, _ := strings.Cut(string(f.Data), "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		verb, target, found := strings.Cut(secrets.reveal(lines[0]), " ")
		if !found {
			t.Fatalf("%s: a request begins with a verb and a path, got %q", f.Name, lines[0])
		}
		for i := range lines[1:] {
			lines[i+1] = secrets.reveal(lines[i+1])
			if wait, found := strings.CutPrefix(lines[i+1], "Wait: "); found {
				d, err := time.ParseDuration(wait)
				if err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
				w.now = w.now.Add(d)
			}
			if record, found := strings.CutPrefix(lines[i+1], "Publish: "); found {
				name, value, _ := strings.Cut(record, " ")
				w.zone[name] = []string{value}
			}
		}
		r := w.do(t, verb, target, strings.TrimSuffix(body, "\n"), lines[1:]...)
		out.Files = append(out.Files, f, txtar.File{Name: "answer", Data: secrets.hide(r.transcript(t))})
	}
	return out
}

// transcript writes an answer: its status, what headers clients act on, and
// its body.
func (r reply) transcript(t *testing.T) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, r.status)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		switch name {
		case "Allow", "Location", "Retry-After", "Www-Authenticate":
			fmt.Fprintf(&b, "%s: %s\n", name, r.header.Get(name))
		}
	}
	if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		return b.Bytes()
	}
	if err := json.Indent(&b, []byte(strings.TrimSpace(r.body)), "", "  "); err != nil {
		t.Fatalf("answer is not JSON: %v\n%s", err, r.body)
	}
	return append(b.Bytes(), '\n')
}

// secrets remembers what is random, by the order of its appearance.
type secrets struct{ tokens, challenges, fingerprints []string }

var (
	tokenText      = regexp.MustCompile(`gt[sp]_[0-9A-Za-z]{46}`)
	tokenPrefix    = regexp.MustCompile(`gt[sp]_[0-9A-Za-z]{8}`)
	tokenName      = regexp.MustCompile(`<(token|prefix|challenge) (\d+)>`)
	challengeText  = regexp.MustCompile(`("challenge_token": "|token=)([0-9A-Za-z]{32})`)
	ourCertificate = regexp.MustCompile(`("saml_sp_certificate": |"certificate": )"-----BEGIN CERTIFICATE-----[^"]*"`)
	fingerprint    = regexp.MustCompile(`"fingerprint_sha256": "([0-9a-f]{64})"`)
)

func (s *secrets) hide(text []byte) []byte {
	text = ourCertificate.ReplaceAll(text, []byte(`$1"<certificate>"`))
	for _, found := range fingerprint.FindAllSubmatch(text, -1) {
		i := slices.Index(s.fingerprints, string(found[1]))
		if i < 0 {
			i = len(s.fingerprints)
			s.fingerprints = append(s.fingerprints, string(found[1]))
		}
		text = bytes.ReplaceAll(text, found[1], fmt.Appendf(nil, "<fingerprint %d>", i+1))
	}
	text = tokenText.ReplaceAllFunc(text, func(token []byte) []byte {
		i := slices.Index(s.tokens, string(token))
		if i < 0 {
			i = len(s.tokens)
			s.tokens = append(s.tokens, string(token))
		}
		return fmt.Appendf(nil, "<token %d>", i+1)
	})
	for _, found := range challengeText.FindAllSubmatch(text, -1) {
		i := slices.Index(s.challenges, string(found[2]))
		if i < 0 {
			i = len(s.challenges)
			s.challenges = append(s.challenges, string(found[2]))
		}
		text = bytes.ReplaceAll(text, found[2], fmt.Appendf(nil, "<challenge %d>", i+1))
	}
	return tokenPrefix.ReplaceAllFunc(text, func(prefix []byte) []byte {
		i := slices.IndexFunc(s.tokens, func(token string) bool { return strings.HasPrefix(token, string(prefix)) })
		return fmt.Appendf(nil, "<prefix %d>", i+1)
	})
}

func (s *secrets) reveal(line string) string {
	return tokenName.ReplaceAllStringFunc(line, func(name string) string {
		var what string
		var i int
		fmt.Sscanf(strings.Trim(name, "<>"), "%s %d", &what, &i)
		if what == "challenge" && 0 < i && i <= len(s.challenges) {
			return s.challenges[i-1]
		}
		if what == "challenge" || i < 1 || i > len(s.tokens) {
			return name
		}
		if what == "prefix" {
			return s.tokens[i-1][:12]
		}
		return s.tokens[i-1]
	})
}
