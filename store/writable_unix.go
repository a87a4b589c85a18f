//go:build unix

package store

import (
	"fmt"
	"os"
	"syscall"
)

// writable says why this process cannot write to a file, or make files in a
// folder; nil where it can.
func writable(path string) error {
	const write, search = 2, 1
	mode := uint32(write)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		mode |= search
	}
	if err := syscall.Access(path, mode); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
