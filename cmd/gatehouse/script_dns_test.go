package main

import (
	"github.com/rogpeppe/go-internal/testscript"
)

// nameServerKey is where a script keeps its name server.
type nameServerKey struct{}

// serveNames starts a resolver for one script, and sets $DNS to its address:
//
//	names
func serveNames(ts *testscript.TestScript, _ bool, _ []string) {
	n, stop, err := newNameServer()
	ts.Check(err)
	ts.Defer(stop)
	kept := ts.Value(nameServerKey{}).(*scriptNames)
	kept.server = n
	ts.Setenv("DNS", n.addr)
}

// scriptNames is the name server of a script, once it has one.
type scriptNames struct{ server *nameServer }

// keepNames gives each script a place for its name server.
func keepNames(e *testscript.Env) error {
	e.Values[nameServerKey{}] = &scriptNames{}
	return nil
}

// publish has the script's resolver say something of a name:
//
//	publish _aiven-challenge.company.com token=abc,expiry=never
func publish(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value(nameServerKey{}).(*scriptNames).server.publish(args[0], args[1])
}
