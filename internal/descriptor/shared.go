// SPDX-License-Identifier: Apache-2.0

package descriptor

import (
	"io/fs"
	"os"
	"syscall"
)

// SharedBy returns the group of a directory, and reports whether it was made for one. A
// server that has changed its root directory has no other way to learn it.
func SharedBy(directory string) (gid int, ok bool) {
	info, err := os.Stat(directory)
	if err != nil || info.Mode()&fs.ModeSetgid == 0 {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Gid), true
}
