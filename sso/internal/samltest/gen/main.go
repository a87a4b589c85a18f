// Command gen writes the SAML cases into a folder, testdata/saml:
//
//	go run ./sso/internal/samltest/gen testdata/saml
package main

import (
	"fmt"
	"os"

	"gatehouse/sso/internal/samltest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER")
		os.Exit(2)
	}
	if err := samltest.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
