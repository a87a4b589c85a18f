// Package archtest holds the architecture: which package may import which.
//
// The two tables below are the ones of docs/architecture.md. An import that
// they do not name fails the test, and so does a line that nothing needs any
// more.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed says which of our own packages a package may import, beyond the
// ones in everywhere.
var allowed = map[string]string{
	"internal/fault":       "",
	"internal/ident":       "",
	"internal/seal":        "",
	"internal/limit":       "",
	"internal/mail":        "internal/seal",
	"internal/task":        "",
	"internal/fetch":       "",
	"audit":                "",
	"account":              "audit internal/limit internal/mail",
	"policy":               "account audit",
	"session":              "account audit",
	"domains":              "account audit internal/fetch internal/limit internal/mail",
	"sso":                  "account audit internal/fetch internal/limit internal/mail internal/seal",
	"login":                "account audit policy sso session internal/limit internal/mail internal/seal",
	"gate":                 "account policy session internal/limit",
	"store":                "account audit domains policy session sso login gate internal/mail internal/seal internal/task",
	"store/redis":          "internal/limit internal/seal",
	"api":                  "account audit domains policy session sso login gate internal/limit",
	"web":                  "account audit domains policy session sso login gate",
	"internal/demoidp":     "",
	"cmd/gatehouse/remote": "client",
	"internal/parts":       "",
	"client":               "",
	"cmd/gatehouse":        "cmd/gatehouse/remote account audit domains policy session sso login gate store store/redis api web internal/limit internal/mail internal/seal internal/task internal/demoidp",
}

// everywhere may be imported by every package but itself.
var everywhere = []string{"internal/fault", "internal/ident"}

// only says which packages may import a third-party module; every other
// third-party import fails.
var only = map[string]string{
	"github.com/crewjam/saml":             "sso",
	"github.com/beevik/etree":             "sso",
	"github.com/russellhaering/goxmldsig": "sso",
	"github.com/gorilla/sessions":         "session",
	"github.com/alexedwards/argon2id":     "account",
	"golang.org/x/net":                    "account domains cmd/gatehouse",
	"github.com/miekg/dns":                "domains",
	"github.com/wneessen/go-mail":         "internal/mail",
	"modernc.org/sqlite":                  "store",
	"github.com/jackc/pgx/v5":             "store",
	"github.com/pressly/goose/v3":         "store",
	"github.com/redis/go-redis/v9":        "store/redis",
	"github.com/danielgtaylor/huma/v2":    "api",
	"github.com/alecthomas/kong":          "cmd/gatehouse",
	"github.com/prometheus/client_golang": "cmd/gatehouse",
	"golang.org/x/term":                   "cmd/gatehouse/remote",
	"golang.org/x/text":                   "cmd/gatehouse/remote",
	"github.com/go-chi/chi/v5":            "cmd/gatehouse",
}

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
	DepOnly    bool
}

// list asks the go command for every package of the tree and what it depends
// on; tests are not part of it.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Module,DepOnly", "gatehouse/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string]pkg{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs[p.ImportPath] = p
	}
}

func TestPackagesImportWhatTheTableSays(t *testing.T) {
	pkgs := list(t)
	used := map[string]bool{}
	for path, p := range pkgs {
		name, ours := strings.CutPrefix(path, "gatehouse/")
		if !ours || isTestOnly(name) {
			continue
		}
		row, known := allowed[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, i := range p.Imports {
			if mine, is := strings.CutPrefix(i, "gatehouse/"); is {
				used[name+" "+mine] = true
				if !slices.Contains(strings.Fields(row), mine) && !slices.Contains(everywhere, mine) {
					t.Errorf("%s imports %s, which the table does not allow", name, mine)
				}
				continue
			}
			dep := pkgs[i]
			if dep.Standard || dep.Module == nil {
				continue
			}
			used[name+" "+dep.Module.Path] = true
			if !slices.Contains(strings.Fields(only[dep.Module.Path]), name) {
				t.Errorf("%s imports %s of module %s, which the table does not allow", name, i, dep.Module.Path)
			}
		}
	}
	for name, row := range allowed {
		for _, mine := range strings.Fields(row) {
			if !used[name+" "+mine] {
				t.Errorf("the table lets %s import %s, which it does not need", name, mine)
			}
		}
	}
	for module, row := range only {
		for _, name := range strings.Fields(row) {
			if !used[name+" "+module] {
				t.Errorf("the table lets %s import %s, which it does not need", name, module)
			}
		}
	}
}

// isTestOnly names packages that only tests import.
func isTestOnly(name string) bool {
	return name == "store/storetest" || name == "internal/limit/limittest" || name == "internal/mail/smtptest" || strings.HasPrefix(name, "internal/e2e") || name == "internal/archtest" || name == "internal/bench" || strings.HasPrefix(name, "sso/internal/samltest")
}
