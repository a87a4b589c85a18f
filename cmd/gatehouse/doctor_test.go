package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/cmd/gatehouse/remote"
	"gatehouse/internal/mail/smtptest"
	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// patient gives an examination of a server in a folder of its own, as its
// defaults have it.
func patient(t *testing.T, change func(*serveCommand)) *examination {
	t.Helper()
	c := &serveCommand{Listen: "127.0.0.1:8080", SessionAge: 12 * time.Hour, TracesFor: 336 * time.Hour, MaxConnections: 4096, Signup: "open", LogFormat: "text", DevListen: "127.0.0.1:8081"}
	c.Data = t.TempDir()
	if change != nil {
		change(c)
	}
	return &examination{serveCommand: c, from: "here"}
}

// look makes one check.
func look(t *testing.T, one func(context.Context, *check)) *check {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	k := &check{State: fine}
	one(ctx, k)
	return k
}

// wantFinding holds a check to its state and to words of its findings; what is
// worse than fine says what to do, with exceptions.
func wantFinding(t *testing.T, k *check, want state, words string) {
	t.Helper()
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if k.State != want || !strings.Contains(string(text), words) || k.LookedAt == "" {
		t.Errorf("got %s, want it %s, with %q", text, want, words)
	}
	for _, f := range k.Findings {
		if badness[f.State] >= badness[doubtful] && f.Mend == "" {
			t.Errorf("got %q, and nothing to do about it", f.Says)
		}
	}
	if strings.Contains(string(text), "hunter") {
		t.Errorf("got %s, which holds a password", text)
	}
}

func TestDoctorJudgesTheConfiguration(t *testing.T) {
	behind := func(proxies ...string) func(*serveCommand) {
		return func(c *serveCommand) {
			c.Listen, c.PublicURL, c.TrustedProxy = "0.0.0.0:8080", "https://sso.acme.test", proxies
		}
	}
	for name, c := range map[string]struct {
		change func(*serveCommand)
		want   state
		words  string
	}{
		"the defaults":            {nil, fine, "127.0.0.1:8080"},
		"a demonstration":         {func(c *serveCommand) { c.Dev = true }, fine, "demonstration"},
		"a proxy":                 {behind("10.1.2.3/32"), fine, ""},
		"proxies of both kinds":   {behind("192.168.0.0/16", "fd00::/8"), fine, ""},
		"a public proxy":          {behind("203.0.113.7/32"), doubtful, "203.0.113.7/32 is no private network"},
		"everybody":               {behind("0.0.0.0/0"), wrong, "0.0.0.0/0 believes nearly everybody"},
		"everybody in two halves": {behind("0.0.0.0/1", "128.0.0.0/1"), wrong, "128.0.0.0/1 believes"},
		"everybody with IPv6":     {behind("::/0"), wrong, "::/0 believes"},
		"everybody in disguise":   {behind("::ffff:0.0.0.0/96"), wrong, "believes"},
		"nobody":                  {behind("none"), doubtful, "everybody has the proxy's address"},
		"no proxy":                {behind(), wrong, "--trusted-proxy"},
		"a proxy elsewhere": {func(c *serveCommand) {
			c.PublicURL, c.TrustedProxy = "https://sso.acme.test", []string{"10.0.0.0/24"}
		}, doubtful, "names none of its addresses"},
		"a proxy here": {func(c *serveCommand) {
			c.PublicURL, c.TrustedProxy = "https://sso.acme.test", []string{"127.0.0.1/32"}
		}, fine, ""},
		"no network":              {behind("10.1.2.3"), wrong, "is not a network"},
		"a short session":         {func(c *serveCommand) { c.SessionAge = time.Second }, wrong, "--session-age 1s"},
		"http for strangers":      {func(c *serveCommand) { c.PublicURL = "http://sso.acme.test" }, wrong, "https://"},
		"half an operator":        {func(c *serveCommand) { c.BootstrapPassword = "hunter2hunter2" }, wrong, "go together"},
		"an operator":             {func(c *serveCommand) { c.BootstrapEmail, c.BootstrapPassword = "a@acme.test", "hunter2hunter2" }, doubtful, "first password"},
		"no PostgreSQL":           {func(c *serveCommand) { c.DatabaseURL = "mysql://root:hunter2@127.0.0.1/x" }, wrong, "mysql://"},
		"metrics for all":         {func(c *serveCommand) { c.MetricsFrom = []string{"0.0.0.0/0"} }, doubtful, "--metrics-from"},
		"metrics for nonsense":    {func(c *serveCommand) { c.MetricsFrom = []string{"x"} }, wrong, "--metrics-from"},
		"a resolver that is none": {func(c *serveCommand) { c.DNSResolver = "10.0.0.2" }, wrong, "--dns-resolver"},
	} {
		t.Run(name, func(t *testing.T) {
			wantFinding(t, look(t, patient(t, c.change).configuration), c.want, c.words)
		})
	}
	k := look(t, patient(t, func(c *serveCommand) { c.SessionAge, c.PublicURL = 0, "x" }).configuration)
	if len(k.Findings) != 2 {
		t.Errorf("got %+v, want both mistakes at once", k.Findings)
	}
}

// started gives a folder as a server that stopped leaves it.
func started(t *testing.T, config store.Config) *seal.Keyring {
	t.Helper()
	config.Keys, config.Log = seal.New(), slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return config.Keys
}

// newerSchema makes the database in a folder one that a newer program used:
//
//	newer-schema data
func newerSchema(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(args[0]), store.FileName))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	ts.Check(err)
}

func TestDoctorComparesKeysAndDatabase(t *testing.T) {
	save := func(t *testing.T, keys *seal.Keyring, path string, mode os.FileMode) {
		t.Helper()
		if err := keys.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		prepare      func(t *testing.T, e *examination)
		keys         state
		keysSays     string
		database     state
		databaseSays string
	}{
		"a fresh folder": {func(*testing.T, *examination) {}, doubtful, "no key file yet", doubtful, "no server has started here yet"},
		"a folder that is not there": {func(_ *testing.T, e *examination) { e.Data = filepath.Join(e.Data, "new") },
			doubtful, "no key file yet", doubtful, "no server has started here yet"},
		"a file for a folder": {func(t *testing.T, e *examination) {
			e.Data = filepath.Join(e.Data, "file")
			if err := os.WriteFile(e.Data, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, wrong, "key file", wrong, "not a directory"},
		"a server that stopped": {func(t *testing.T, e *examination) {
			save(t, started(t, store.Config{Folder: e.Data}), filepath.Join(e.Data, "keys"), 0o600)
		}, fine, "is in force", fine, "schema version"},
		"keys for everybody": {func(t *testing.T, e *examination) {
			save(t, started(t, store.Config{Folder: e.Data}), filepath.Join(e.Data, "keys"), 0o644)
		}, wrong, "run chmod 600", fine, "schema version"},
		"no keys": {func(t *testing.T, e *examination) { started(t, store.Config{Folder: e.Data}) },
			wrong, "there is no key file, and the database was sealed with key", fine, "schema version"},
		"other keys": {func(t *testing.T, e *examination) {
			started(t, store.Config{Folder: e.Data})
			save(t, seal.New(), filepath.Join(e.Data, "keys"), 0o600)
		}, wrong, "the file holds", fine, "schema version"},
		"a rotation that has begun": {func(t *testing.T, e *examination) {
			save(t, started(t, store.Config{Folder: e.Data}).WithNew(), filepath.Join(e.Data, "keys"), 0o600)
		}, doubtful, "a rotation of the keys has begun", fine, "schema version"},
		"a change of keys that was interrupted": {func(t *testing.T, e *examination) {
			keys := started(t, store.Config{Folder: e.Data})
			save(t, keys, filepath.Join(e.Data, "keys"), 0o600)
			save(t, keys, filepath.Join(e.Data, "keys.new"), 0o600)
		}, doubtful, "was interrupted", fine, "schema version"},
		"keys in a folder that is not there": {func(_ *testing.T, e *examination) { e.Keys = filepath.Join(e.Data, "new", "keys") },
			wrong, "there is no folder", doubtful, ""},
		"nonsense for keys": {func(t *testing.T, e *examination) {
			if err := os.WriteFile(filepath.Join(e.Data, "keys"), []byte("hunter2\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, wrong, "line 1", doubtful, ""},
		"a database for everybody": {func(t *testing.T, e *examination) {
			save(t, started(t, store.Config{Folder: e.Data}), filepath.Join(e.Data, "keys"), 0o600)
			if err := os.Chmod(filepath.Join(e.Data, store.FileName), 0o644); err != nil {
				t.Fatal(err)
			}
		}, fine, "", doubtful, "run chmod 600"},
		"--dev on what it did not make": {func(t *testing.T, e *examination) {
			e.Dev = true
			save(t, started(t, store.Config{Folder: e.Data}), filepath.Join(e.Data, "keys"), 0o600)
		}, fine, "", wrong, "--dev did not make this database"},
		"a PostgreSQL that is away": {func(_ *testing.T, e *examination) { e.DatabaseURL = "postgres://a:hunter2@127.0.0.1:1/x" },
			doubtful, "no key file yet", wrong, "is PostgreSQL running"},
		"no PostgreSQL": {func(_ *testing.T, e *examination) { e.DatabaseURL = "mysql://a:hunter2@127.0.0.1:1/x" },
			doubtful, "", wrong, "which is no PostgreSQL"},
	} {
		t.Run(name, func(t *testing.T) {
			e := patient(t, nil)
			c.prepare(t, e)
			wantFinding(t, look(t, e.keyFiles), c.keys, c.keysSays)
			wantFinding(t, look(t, e.database), c.database, c.databaseSays)
		})
	}
}

func TestDoctorLooksAtPostgreSQL(t *testing.T) {
	e := patient(t, func(c *serveCommand) { c.DatabaseURL = parts.Need(t, parts.Postgres) })
	k := look(t, e.database)
	if k.State == wrong || !strings.Contains(k.LookedAt, "PostgreSQL 1") {
		t.Errorf("got %+v, want a PostgreSQL that is there", k)
	}
	if len(e.clocks) == 0 || e.clocks[0].ahead.Abs() > time.Minute {
		t.Errorf("got the clocks %+v, want the database's, which agrees", e.clocks)
	}
}

func TestDoctorLooksAtRedis(t *testing.T) {
	wantFinding(t, look(t, patient(t, nil).redis), unset, "several share limits")
	e := patient(t, nil)
	e.looking.report.Nodes = make([]store.Node, 2)
	wantFinding(t, look(t, e.redis), doubtful, "2 servers run")
	for address, words := range map[string]string{
		"redis://:hunter2@127.0.0.1:1/0":    "is Redis running",
		"redis://:hunter2@127.0.0.1:port/0": "not an address such as redis://",
	} {
		e := patient(t, func(c *serveCommand) { c.RedisURL = address })
		wantFinding(t, look(t, e.redis), wrong, words)
	}
	t.Run("real", func(t *testing.T) {
		e := patient(t, func(c *serveCommand) { c.RedisURL = parts.Need(t, parts.Redis) })
		k := look(t, e.redis)
		if k.State == wrong || !strings.HasPrefix(k.LookedAt, "Redis ") {
			t.Errorf("got %+v, want a Redis that is there", k)
		}
	})
}

func TestDoctorLooksAtMail(t *testing.T) {
	plain := smtptest.Start(t, smtptest.Options{User: "ann", Password: "hunter2"})
	secret := smtptest.Start(t, smtptest.Options{TLS: true, User: "ann", Password: "hunter2"})
	for name, c := range map[string]struct {
		change func(*serveCommand)
		want   state
		words  string
	}{
		"none":            {nil, unset, "no mail is sent"},
		"none, for --dev": {func(c *serveCommand) { c.Dev = true }, unset, "/dev/mail"},
		"one that lets us in": {func(c *serveCommand) { c.SMTPURL, c.MailFrom = "smtp://ann:hunter2@"+plain.Addr, "sso@acme.test" },
			fine, "no mail was sent"},
		"a sender that is no domain's": {func(c *serveCommand) { c.SMTPURL = "smtp://ann:hunter2@" + plain.Addr }, doubtful, "--mail-from"},
		"another password":             {func(c *serveCommand) { c.SMTPURL = "smtp://ann:hunter3@" + plain.Addr }, wrong, "mend user and password"},
		"a certificate of nobody's":    {func(c *serveCommand) { c.SMTPURL = "smtps://ann:hunter2@" + secret.Addr }, wrong, "that this machine trusts"},
		"away":                         {func(c *serveCommand) { c.SMTPURL = "smtp://ann:hunter2@127.0.0.1:1" }, wrong, "is the mail server there"},
		"no address":                   {func(c *serveCommand) { c.SMTPURL = "http://ann:hunter2@acme.test" }, wrong, "--smtp-url"},
		"no sender":                    {func(c *serveCommand) { c.MailFrom = "nobody" }, wrong, "--mail-from"},
	} {
		t.Run(name, func(t *testing.T) {
			wantFinding(t, look(t, patient(t, c.change).mail), c.want, c.words)
		})
	}
	if got := len(plain.Mails()) + len(secret.Mails()); got != 0 {
		t.Errorf("got %d mails, want none", got)
	}
}

// answering is a DNS server that answers every question with a status.
func answering(t *testing.T, status byte) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := l.ReadFrom(b)
			if err != nil {
				return
			}
			b[2], b[3] = b[2]|0x80, 0x80|status // RFC 1035, 4.1.1: an answer of who asks others for us, and its status
			b[10], b[11] = 0, 0                 // without what the question had besides
			end := 12
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			l.WriteTo(b[:end+5], from)
		}
	}()
	return l.LocalAddr().String()
}

func TestDoctorAsksTheResolver(t *testing.T) {
	for name, c := range map[string]struct {
		at    string
		want  state
		words string
	}{
		"no such name":  {answering(t, 3), fine, "sso.acme.test."},
		"nothing there": {answering(t, 0), fine, "it answers"},
		"a failure":     {answering(t, 2), wrong, "no answer"},
		"a refusal":     {answering(t, 5), wrong, "no answer"},
		"nobody":        {"127.0.0.1:1", wrong, "refused"},
		"no address":    {"10.0.0.2", wrong, "--dns-resolver"},
	} {
		t.Run(name, func(t *testing.T) {
			e := patient(t, func(c *serveCommand) { c.PublicURL = "https://sso.acme.test" })
			e.DNSResolver = c.at
			wantFinding(t, look(t, e.resolver), c.want, c.words)
		})
	}
	for public, want := range map[string]string{"": ".", "https://10.1.2.3": ".", "https://gate": ".", "https://sso.acme.test": "sso.acme.test."} {
		e := patient(t, func(c *serveCommand) { c.PublicURL = public })
		if got := e.askedName(); got != want {
			t.Errorf("%s: got %s, want %s", public, got, want)
		}
	}
}

func TestDoctorComparesClocks(t *testing.T) {
	for name, c := range map[string]struct {
		clock clock
		want  state
		words string
	}{
		"together":         {clock{"x", 300 * time.Millisecond, 0}, fine, "agrees with x"},
		"a long way":       {clock{"x", 12 * time.Second, 3 * time.Second}, fine, "agrees"},
		"a little apart":   {clock{"x", -20 * time.Second, 0}, doubtful, "20s ahead of x"},
		"too far apart":    {clock{"x", 2 * time.Minute, 0}, wrong, "2m0s behind x"},
		"as far backwards": {clock{"x", -2 * time.Minute, 0}, wrong, "2m0s ahead of x"},
	} {
		t.Run(name, func(t *testing.T) {
			k := &check{State: fine, LookedAt: "clocks"}
			judgeClock(k, c.clock)
			wantFinding(t, k, c.want, c.words)
		})
	}
	e := patient(t, nil)
	e.clocks = []clock{{"the database", time.Hour, 0}}
	wantFinding(t, look(t, e.clock), wrong, "1h0m0s behind the database")
}

func TestDoctorPrintsNoSecret(t *testing.T) {
	c := &serveCommand{BootstrapPassword: "hunter1!", RedisURL: "redis://:hunter%32x@host"}
	c.DatabaseURL, c.SMTPURL = "host=db password='hunter3' user=x", "smtp://a:hun#ter4@host"
	k := &check{LookedAt: "hunter1! at", Findings: []finding{{wrong, "hunter2x and hunter3", "not hunter2x"}, {fine, "hun#ter4", ""}}}
	hide([]*check{k}, c.secrets())
	text, _ := json.Marshal(k)
	if strings.Contains(string(text), "hunter") || strings.Contains(string(text), "hun#ter") || !strings.Contains(string(text), "… and …") {
		t.Errorf("got %s, want no secret", text)
	}
	k = &check{LookedAt: "postgres"}
	hide([]*check{k}, []string{"", "p"})
	if k.LookedAt != "postgres" {
		t.Errorf("got %q, want a text that can be read", k.LookedAt)
	}
}

func TestDoctorFitsTheTerminal(t *testing.T) {
	checks := []*check{{Name: "configuration", State: fine, LookedAt: "flags and the environment", Findings: []finding{{fine, "good", ""}}},
		{Name: "database", State: wrong, LookedAt: strings.Repeat("a place ", 20), Findings: []finding{
			{fine, strings.Repeat("good ", 30), ""}, {wrong, "bad\x1b[2Jword " + strings.Repeat("bad ", 30), strings.Repeat("mend ", 30)},
		}}}
	for _, width := range []int{20, 40, 80, 1 << 20} {
		var out bytes.Buffer
		if err := printChecks(&out, width, checks); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if len([]rune(line)) > max(width, 31) {
				t.Errorf("%d columns: got %q", width, line)
			}
		}
		if strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "→ mend") {
			t.Errorf("%d columns: got %q, want what to mend, and nothing that moves the cursor", width, out.String())
		}
	}
	if got := summary(checks); got != "1 thing is wrong" {
		t.Errorf("got %q", got)
	}
	if got := remote.Wrap("", 10); len(got) != 1 || got[0] != "" {
		t.Errorf("got %q, want one empty line", got)
	}
}
