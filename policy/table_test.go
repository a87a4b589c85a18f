package policy

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A row is one of the decision table's in docs/policy.md.
type row struct {
	text    string
	entries []Kind // nil: any
	logins  []login
	when    []condition
	code    string // empty: admitted
	rule    string
}

// A login is a way, and whose provider it was if it is SAML.
type login struct {
	way  Way
	from Relation
}

// A condition is one of the table's clauses.
type condition func(*Rules, *facts) bool

// facts are what the clauses of the table speak of besides the rules.
type facts struct {
	outside bool // the address lies outside the ranges, if there are any
	mcp     bool
	device  bool // it goes back to a login by a code typed in on another device
	second  bool // of SAML: the context is the one that identity providers assert of one
	managed bool
	old     bool // the token is older than the bound, if there is one
	stale   bool // the last own login is longer ago than the bound, if there is one
	login   login
}

var allLogins = []login{
	{Password, ""},
	{Google, ""},
	{Microsoft, ""},
	{GitHub, ""},
	{Passkey, ""},
	{SAML, Own},
	{SAML, Fellow},
	{SAML, Stranger},
	{Recovery, ""},
}

func (l login) String() string { return strings.TrimSpace(string(l.way) + " " + string(l.from)) }

// switches are the fields that a clause calls on or off.
var switches = map[string]func(*Rules) bool{
	"password_auth_enabled":                       func(r *Rules) bool { return r.Password },
	"two_factor_required":                         func(r *Rules) bool { return r.TwoFactor },
	"oauth_enabled":                               func(r *Rules) bool { return r.ThirdParty },
	"passkey_enabled":                             func(r *Rules) bool { return r.Passkey },
	"saml_enabled":                                func(r *Rules) bool { return r.SAML },
	"saml_allow_external":                         func(r *Rules) bool { return r.ExternalSAML },
	"personal_tokens_require_allowed_auth_method": func(r *Rules) bool { return r.EnforceMethod },
	"device_login_enabled":                        func(r *Rules) bool { return r.DeviceLogin },
	"mcp_enabled":                                 func(r *Rules) bool { return r.MCP },
}

var clauses = map[string]condition{
	"address outside `allowed_ip_ranges`": func(r *Rules, f *facts) bool { return len(r.Ranges) > 0 && f.outside },
	"MCP client":                          func(_ *Rules, f *facts) bool { return f.mcp },
	"device login":                        func(_ *Rules, f *facts) bool { return f.device },
	"no second factor":                    func(_ *Rules, f *facts) bool { return !f.second },
	"managed":                             func(_ *Rules, f *facts) bool { return f.managed },
	"`personal_tokens` is not enabled":    func(r *Rules, _ *facts) bool { return r.PersonalTokens != TokensEnabled },
	"token older than `personal_token_max_age_seconds`":     func(r *Rules, f *facts) bool { return r.PersonalTokenAge > 0 && f.old },
	"last own login longer ago than `login_freshness_days`": func(r *Rules, f *facts) bool { return r.Freshness > 0 && f.stale },
	"context not among `saml_second_factor_contexts`": func(r *Rules, f *facts) bool {
		return len(r.SecondFactorContexts) > 0 && (!f.second || !slices.Contains(r.SecondFactorContexts, refeds))
	},
	"login not among `oauth_providers`": func(r *Rules, f *facts) bool {
		return !slices.Contains(r.Providers, f.login.way)
	},
}

var (
	onOff  = regexp.MustCompile("^`([a-z_]+)` is (on|off)$")
	answer = regexp.MustCompile("^`([a-z_]+)`(?: by `([a-z_]+)`)?$")
)

func parseCondition(text string) (condition, error) {
	if c, known := clauses[text]; known {
		return c, nil
	}
	m := onOff.FindStringSubmatch(text)
	if m == nil || switches[m[1]] == nil {
		return nil, fmt.Errorf("condition %q is not understood", text)
	}
	field, on := switches[m[1]], m[2] == "on"
	return func(r *Rules, _ *facts) bool { return field(r) == on }, nil
}

// readTable reads the decision table of a text.
func readTable(text string) ([]row, error) {
	_, rest, found := strings.Cut(text, "\n| # | Entry | Login | When | Answer |\n|---|---|---|---|---|\n")
	if !found {
		return nil, fmt.Errorf("there is no decision table")
	}
	var all []row
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		r, err := readRow(line, len(all)+1)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(all)+1, err)
		}
		all = append(all, r)
	}
	return all, nil
}

func readRow(line string, number int) (row, error) {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	if len(cells) != 5 {
		return row{}, fmt.Errorf("got %d cells, want 5", len(cells))
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if cells[0] != fmt.Sprint(number) {
		return row{}, fmt.Errorf("got number %s", cells[0])
	}
	r := row{text: line}
	var err error
	if r.entries, err = choose(cells[1], []Kind{Console, Session, Personal, Application}); err != nil {
		return row{}, err
	}
	if r.logins, err = choose(cells[2], allLogins); err != nil {
		return row{}, err
	}
	for _, text := range strings.Split(cells[3], " and ") {
		if text == "" {
			continue
		}
		c, err := parseCondition(text)
		if err != nil {
			return row{}, err
		}
		r.when = append(r.when, c)
	}
	if cells[4] == "admitted" {
		return r, nil
	}
	m := answer.FindStringSubmatch(cells[4])
	if m == nil {
		return row{}, fmt.Errorf("answer %q is not understood", cells[4])
	}
	r.code, r.rule = m[1], m[2]
	return r, nil
}

// choose reads a list of some of all, or the word any.
func choose[T any](text string, all []T) ([]T, error) {
	if text == "any" {
		return all, nil
	}
	var some []T
	for _, name := range strings.Split(text, ", ") {
		i := slices.IndexFunc(all, func(one T) bool { return fmt.Sprint(one) == name })
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %v", name, all)
		}
		some = append(some, all[i])
	}
	return some, nil
}

// holds says whether all conditions of a row do.
func (r *row) holds(rules *Rules, f *facts) bool {
	for _, c := range r.when {
		if !c(rules, f) {
			return false
		}
	}
	return true
}

// of gives the rows that speak of a kind of entry and a login.
func of(table []row, k Kind, l login) []*row {
	var some []*row
	for i := range table {
		if slices.Contains(table[i].entries, k) && slices.Contains(table[i].logins, l) {
			some = append(some, &table[i])
		}
	}
	return some
}

// decide gives the first row that matches, or nil.
func decide(rows []*row, rules *Rules, f *facts) *row {
	for _, r := range rows {
		if r.holds(rules, f) {
			return r
		}
	}
	return nil
}

func policyPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func documented(t *testing.T) []row {
	t.Helper()
	table, err := readTable(policyPage(t))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestATableThatIsNotUnderstoodIsRefused(t *testing.T) {
	const head = "\n| # | Entry | Login | When | Answer |\n|---|---|---|---|---|\n"
	for name, text := range map[string]string{
		"none":            "# The authentication policy\n",
		"entry":           head + "| 1 | robot | any | | admitted |",
		"login":           head + "| 1 | any | saml | | admitted |",
		"condition":       head + "| 1 | any | any | on Sundays | admitted |",
		"field":           head + "| 1 | any | any | `sundays_enabled` is off | admitted |",
		"answer":          head + "| 1 | any | any | | perhaps |",
		"number":          head + "| 2 | any | any | | admitted |",
		"number of cells": head + "| 1 | any | any | admitted |",
	} {
		if _, err := readTable(text); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// The page has to speak of every field, in the API's words.
func TestThePageNamesEveryField(t *testing.T) {
	page, r := policyPage(t), Usual()
	_, fields, _ := strings.Cut(page, "## Fields")
	fields, _, _ = strings.Cut(fields, "## What decides")
	for name := range r.fields() {
		if !strings.Contains(fields, "\n| `"+name+"` |") {
			t.Errorf("docs/policy.md has no row on %s", name)
		}
	}
}
