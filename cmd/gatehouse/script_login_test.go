package main

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// approve does in the console, as whoever $TOKEN logs in, what a program asks
// for that waits: its output is in a file, with a code to type or an address to
// open. The answer is yes or no:
//
//	approve stderr-file yes
func approve(ts *testscript.TestScript, _ bool, args []string) {
	for range 200 {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if asked := codeOf(string(text)); asked != "" {
			answerProgram(ts, asked, args[1])
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no program asked for anything within ten seconds")
}

// codeOf finds what a program asks for: a code to type, or an address to open.
func codeOf(shown string) string {
	m := regexp.MustCompile(`(?m)^  (http\S+/authorize\?\S+|[A-Z]{4}-[A-Z]{4})\r?$`).FindStringSubmatch(shown)
	if m == nil {
		return ""
	}
	return m[1]
}

func answerProgram(ts *testscript.TestScript, asked, answer string) {
	page, form := "/device/answer", url.Values{"user_code": {asked}}
	if _, query, isAddress := strings.Cut(asked, "/authorize?"); isAddress {
		page = "/authorize"
		var err error
		form, err = url.ParseQuery(query)
		ts.Check(err)
	}
	form.Set("answer", answer)
	r, err := http.NewRequest("POST", ts.Getenv("URL")+page, strings.NewReader(form.Encode()))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(&http.Cookie{Name: "gatehouse", Value: ts.Getenv("TOKEN")})
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := browser.Do(r)
	ts.Check(err)
	got.Body.Close()
	if got.StatusCode != http.StatusSeeOther {
		ts.Fatalf("the console answered %d, want to be sent on", got.StatusCode)
	}
	if to := got.Header.Get("Location"); strings.HasPrefix(to, "http://127.0.0.1:") {
		back, err := http.Get(to)
		ts.Check(err)
		back.Body.Close()
	}
}
