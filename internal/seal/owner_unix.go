//go:build unix

package seal

import (
	"os"
	"syscall"
)

// keepOwner gives f the owner of the file at path: keys that root rotated have
// to be readable to the server, which is somebody else.
func keepOwner(path string, f *os.File) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && (int(s.Uid) != os.Geteuid() || int(s.Gid) != os.Getegid()) {
		return f.Chown(int(s.Uid), int(s.Gid))
	}
	return nil
}
