package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/rogpeppe/go-internal/testscript"
)

// waitReady waits until the server whose log is in a file says where it
// listens and is ready, and sets $URL:
//
//	ready stderr-file
func waitReady(ts *testscript.TestScript, _ bool, args []string) {
	listen := regexp.MustCompile(`msg=serving listen=(\S+)`)
	for range 200 {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if m := listen.FindSubmatch(text); m != nil {
			url := "http://" + string(m[1])
			if r, err := http.Get(url + "/readyz"); err == nil {
				r.Body.Close()
				if r.StatusCode == http.StatusOK {
					ts.Setenv("URL", url)
					return
				}
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(ts.MkAbs(args[0]))
	ts.Fatalf("the server was not ready within ten seconds; its log:\n%s", text)
}

// remember sets a variable to a value of the answer before:
//
//	remember organization_id ORG
func remember(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(`"` + args[0] + `":"([^"]+)"`).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("the answer has no %s", args[0])
	}
	ts.Setenv(args[1], m[1])
}

// secretOf sets $SECRET to the secret of a recovery link in what was printed:
//
//	secret-of stdout
func secretOf(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(`/recover/([0-9A-Za-z]+)`).FindStringSubmatch(ts.ReadFile(args[0]))
	if m == nil {
		ts.Fatalf("there is no recovery link in it")
	}
	ts.Setenv("SECRET", m[1])
}

// fetch sends a request and compares the status; the answer is printed:
//
//	http GET /healthz 200
//	http POST /v1/userauth 200 {"email":"…"}
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader
	if len(args) > 3 {
		body = bytes.NewBufferString(strings.Join(args[3:], " "))
	}
	r, err := http.NewRequest(args[0], ts.Getenv("URL")+args[1], body)
	ts.Check(err)
	if token := ts.Getenv("TOKEN"); token != "" {
		r.Header.Set("Authorization", "aivenv1 "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", text)
	if m := regexp.MustCompile(`"token":"([^"]+)"`).FindSubmatch(text); m != nil {
		ts.Setenv("TOKEN", string(m[1]))
	}
	if got := strconv.Itoa(answer.StatusCode); got != args[2] {
		ts.Fatalf("got %s, want %s: %s", got, args[2], text)
	}
}

// soon is http, tried again until the status is right, for up to five seconds:
// what another process changed is known a moment later.
//
//	soon GET /v1/organization/$ORG 200
func soon(ts *testscript.TestScript, neg bool, args []string) {
	for range 50 {
		r, err := http.NewRequest(args[0], ts.Getenv("URL")+args[1], nil)
		ts.Check(err)
		r.Header.Set("Authorization", "aivenv1 "+ts.Getenv("TOKEN"))
		answer, err := http.DefaultClient.Do(r)
		ts.Check(err)
		answer.Body.Close()
		if strconv.Itoa(answer.StatusCode) == args[2] {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fetch(ts, neg, args)
}

// execStatus runs a program and compares its exit status, which exec does only
// for success and failure:
//
//	exec-status 5 gatehouse organization group-show ug00000000000
func execStatus(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		got = failed.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("got the exit status %d, want %s:\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// keep sets a variable to what a pattern finds in what was printed:
//
//	keep '"full_token": "([^"]+)"' TOKEN
func keep(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[0]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("%s is not in what was printed", args[0])
	}
	ts.Setenv(args[1], m[1])
}

// startStranger starts a server that is no Gatehouse, and sets $STRANGER: by
// path it answers with HTML, leads elsewhere, breaks off, or says JSON of
// another shape.
func startStranger(ts *testscript.TestScript, _ bool, _ []string) {
	mux := http.NewServeMux()
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			fmt.Fprint(w, "<h1>Hello</h1>")
		}
	}
	mux.Handle("/html/", page(http.StatusOK))
	mux.Handle("/refusing/", page(http.StatusForbidden))
	mux.Handle("/elsewhere/", http.RedirectHandler("/html/", http.StatusFound))
	mux.HandleFunc("/broken/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "{")
	})
	mux.HandleFunc("/other/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"hello":"world"}`)
	})
	s := httptest.NewServer(mux)
	ts.Defer(s.Close)
	ts.Setenv("STRANGER", s.URL)
}

// throughIdP opens a page that leads to the demonstration's identity provider,
// logs in there as somebody, and prints the text of the page where that ends:
//
//	through-idp /v1/sso/saml/login/$METHOD alice [wrong-audience]
func throughIdP(ts *testscript.TestScript, _ bool, args []string) {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	first, err := http.NewRequest("GET", ts.Getenv("URL")+args[0], nil)
	ts.Check(err)
	first.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := browser.Do(first)
	ts.Check(err)
	form := url.Values{"user": {args[1]}}
	if len(args) > 2 {
		form.Set("mistake", args[2])
	}
	for range 2 { // whom to log in as, and what to bring back
		page, err := goquery.NewDocumentFromReader(answer.Body)
		answer.Body.Close()
		ts.Check(err)
		f := page.Find("main form").First()
		to, err := answer.Request.URL.Parse(f.AttrOr("action", ""))
		ts.Check(err)
		f.Find("input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
			form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
		})
		answer, err = browser.PostForm(to.String(), form)
		ts.Check(err)
		form = url.Values{}
	}
	defer answer.Body.Close()
	page, err := goquery.NewDocumentFromReader(answer.Body)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), strings.Join(strings.Fields(page.Find("main").Text()), " "))
}

// freePort sets a variable to a port of the loopback interface that nobody
// listens on, for a server whose address has to be known before it starts:
//
//	free-port PORT
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}
