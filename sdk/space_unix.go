//go:build linux || darwin || freebsd

package parley

import "golang.org/x/sys/unix"

// space is how many bytes fit into the folder; ok is false when the system does not say.
func space(dir string) (bytes uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(s.Bavail, 0)) * uint64(s.Bsize), true
}
