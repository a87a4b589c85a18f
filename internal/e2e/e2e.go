// Package e2e holds the tests that go through real parts: identity providers
// that others wrote, and a browser. It is all tests; scripts/parts.sh starts
// what they need, and package parts skips them where it is not there.
//
// The identity providers are on localhost and the broker is on 127.0.0.1: two
// sites, so that cookies behave as they do between companies.
package e2e
