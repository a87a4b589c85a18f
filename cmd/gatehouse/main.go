// Command gatehouse is a SAML service provider and SSO login broker: server,
// web console and JSON API in one binary.
//
// Everything is built in wire.go, and nowhere else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"gatehouse/cmd/gatehouse/remote"
)

// cli is the grammar: commands, flags, environment names and configuration
// keys at once.
type cli struct {
	Config kong.ConfigFlag `help:"Read flags from this JSON file, for example {\"listen\": \"127.0.0.1:8080\"}." placeholder:"FILE" type:"existingfile" env:"GATEHOUSE_CONFIG"`

	Serve      serveCommand      `cmd:"" help:"Serve the console, the login pages, the SAML endpoints and the API."`
	Doctor     doctorCommand     `cmd:"" help:"Look at everything that a server needs, and say what to mend."`
	Recover    recoverCommand    `cmd:"" help:"Let a super admin back into an organization that nobody can log in to any more."`
	Backup     backupCommand     `cmd:"" help:"Copy the embedded database to a file, while the server runs."`
	Keys       keysCommand       `cmd:"" help:"Show, rotate and prune the keys that seal secrets."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete commands, flags and values."`

	User         remote.User         `cmd:"" group:"client" help:"Log in, see who you are, make tokens."`
	Organization remote.Organization `cmd:"" group:"client" help:"Organizations, and their authentication policies, identity providers, domains, people and groups."`
	Project      remote.Project      `cmd:"" group:"client" help:"List projects."`
}

type versionCommand struct{}

func (versionCommand) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, "gatehouse", version())
	return err
}

// version is the module version or the commit that the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "development"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The heap is small beside what the process needs anyway: collecting it
	// half as often costs a few megabytes and saves a twentieth of the work.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit status: 0, 1 for a failure, or
// 2 for a command line that is not right.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	status := -1
	parser, err := kong.New(&c,
		kong.Name("gatehouse"),
		kong.Description("Self-hosted single sign-on: SAML service provider and login broker."),
		kong.Resolvers(kong.ResolverFunc(firstSet)),
		kong.Configuration(configFile),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { status = code }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.Bind(logOutput{stderr}),
		kong.Bind(remoteEnv(stdout, stderr)),
		kong.ExplicitGroups([]kong.Group{{Key: "client", Title: "Commands that call a server:"}}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "gatehouse:", err)
		return 2
	}
	if err := blankBeforeValue(parser.Model.Node, args); err != nil {
		return fail(stderr, err)
	}
	command, err := parser.Parse(args)
	if status >= 0 { // help was asked for, and printed
		return status
	}
	if err != nil {
		fmt.Fprintln(stderr, "gatehouse:", err)
		fmt.Fprintf(stderr, "gatehouse: hint: %s --help lists commands and flags\n", commandOf(err))
		return 2
	}
	if err := command.Run(); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// commandOf gives as much of the command line as is a command, to ask for its
// help.
func commandOf(err error) string {
	name := "gatehouse"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		for _, at := range wrong.Context.Path {
			if at.Command != nil {
				name += " " + at.Command.Name
			}
		}
	}
	return name
}

// fail says what failed, and in a line below what can be done, where something
// can.
func fail(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "gatehouse:", oneLine(err))
	var f *remote.Failure
	if !errors.As(err, &f) {
		return 1
	}
	if f.Hint != "" {
		fmt.Fprintln(stderr, "gatehouse: hint:", f.Hint)
	}
	return f.Exit
}

// remoteEnv is the world of the commands that call a server.
func remoteEnv(stdout, stderr io.Writer) *remote.Env {
	folder := os.Getenv("GATEHOUSE_CONFIG_DIR")
	if folder == "" {
		if user, err := os.UserConfigDir(); err == nil {
			folder = filepath.Join(user, "gatehouse")
		}
	}
	return &remote.Env{
		Terminal:    &remote.Terminal{In: os.Stdin, Out: stdout, Err: stderr, Getenv: os.Getenv},
		Credentials: &remote.Credentials{Path: filepath.Join(folder, "credentials.json")},
		Version:     version(),
		Getenv:      os.Getenv,
		Open:        openBrowser,
	}
}

// openBrowser starts the browser of whoever sits here.
func openBrowser(url string) bool {
	program, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		program = "open"
	case "windows":
		program, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	return exec.Command(program, args...).Start() == nil
}
