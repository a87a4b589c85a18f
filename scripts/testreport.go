//go:build ignore

// Testreport reads what "go test -json" prints and tells it shortly: a line
// for each package, the output of what failed, what was skipped and why, and a
// count. It exits with 1 if anything failed or if nothing was tested.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// An event is one line of test2json; see "go doc test2json".
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build output
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

type report struct {
	output                  map[string]*strings.Builder // by package and test
	skips                   []string
	passed, failed, skipped int
	bad                     bool
}

func main() {
	r := &report{output: map[string]*strings.Builder{}}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Print(line) // not of a test: the go command itself
			} else {
				r.take(e)
			}
		}
		if err != nil {
			break
		}
	}
	if len(r.skips) > 0 {
		fmt.Printf("\nskipped:\n%s", strings.Join(r.skips, ""))
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if r.bad || r.passed == 0 {
		os.Exit(1)
	}
}

func (r *report) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		b := r.output[key]
		if b == nil {
			b = &strings.Builder{}
			r.output[key] = b
		}
		b.WriteString(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.finishPackage(e, key)
		} else {
			r.finishTest(e, key)
		}
		delete(r.output, key)
	}
}

func (r *report) finishTest(e event, key string) {
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		r.skips = append(r.skips, "  "+e.Package+" "+e.Test+"\n"+r.said(key))
	case "fail":
		r.failed++
		r.bad = true
		fmt.Printf("--- %s %s\n%s", e.Package, e.Test, r.said(key))
	}
}

func (r *report) finishPackage(e event, key string) {
	switch {
	case e.Action == "skip": // it has no tests
	case e.Action == "pass":
		fmt.Printf("ok   %-28s %6.1f s\n", e.Package, e.Elapsed)
	default:
		r.bad = true
		fmt.Printf("FAIL %-28s %6.1f s\n%s", e.Package, e.Elapsed, r.said(key))
	}
}

// said is a test's own output, without the lines that test2json adds.
func (r *report) said(key string) string {
	b := r.output[key]
	if b == nil {
		return ""
	}
	var own strings.Builder
	for line := range strings.Lines(b.String()) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "=== ") || strings.HasPrefix(text, "--- ") || text == "FAIL" || text == "PASS" {
			continue
		}
		own.WriteString("    " + strings.TrimLeft(line, " "))
	}
	return own.String()
}
