// SPDX-License-Identifier: Apache-2.0

package descriptor

import "golang.org/x/sys/unix"

// Succeeded reports whether the name by which the directory was opened leads to another one by now, which has
// such a file: somebody has renamed the one that is open and put a backup in its place. A
// name that leads nowhere, or that may not be followed, has no successor, and in another root
// it means something else.
func (d *Directory) Succeeded(file string) bool {
	is, err := identityAt(d.Name())
	if err != nil || is == d.file.is {
		return false
	}
	if root, err := identityAt("/"); err != nil || root != d.root {
		return false
	}
	var stat unix.Stat_t
	return unix.Lstat(d.Path(file), &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG
}

// identityAt is what a path leads to.
func identityAt(path string) (identity, error) {
	var stat unix.Stat_t
	err := unix.Stat(path, &stat)
	return identityIn(&stat), err
}
