// Package storetest checks that a store keeps the promises of every interface
// that it implements, on whichever database.
package storetest

import (
	"testing"

	"gatehouse/store"
)

// Run checks the stores that place gives a place for: each call of place must
// name a new, empty database.
func Run(t *testing.T, place func(t testing.TB) store.Config) {
	store.Open(t.Context(), place(t))
}
