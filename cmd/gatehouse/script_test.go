package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatehouse": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

// The program's behaviour, as files to read: testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"http":        fetch,
			"keep":        keep,
			"stranger":    startStranger,
			"exec-status": execStatus,
			"ready":       waitReady,

			"names":   serveNames,
			"publish": publish,

			"newer-schema": newerSchema,

			"approve":     approve,
			"between":     startBetween,
			"remember":    remember,
			"secret-of":   secretOf,
			"soon":        soon,
			"through-idp": throughIdP,
			"free-port":   freePort,
		},
		Setup:               keepNames,
		RequireExplicitExec: true,
	})
}
