// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenDirectory opens a directory in a place where others may change names, and root does not follow their links. What is
// done below it is done in that directory, whatever its name leads to by then.
func OpenDirectory(path string) (*os.Root, error) {
	root, err := os.OpenRoot(path + "/.") // a pipe would be waited for
	if err != nil {
		return nil, err
	}
	if err := leadsTo(path, root); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

// leadsTo returns why a path is not that of a directory that is open.
func leadsTo(path string, root *os.Root) error {
	open, err := root.Stat(".")
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case named.Mode()&fs.ModeSymlink != 0:
		return IsLink(path)
	case !os.SameFile(open, named):
		return fmt.Errorf("%s is not the directory that it was: another user has put something else in its place", path)
	}
	return nil
}

// IsLink is the error of a link where root follows none.
func IsLink(path string) error {
	return fmt.Errorf("%s is a link, which is followed by nobody but the one who made it: mend what it leads to", path)
}

// Give gives what is open to an owner and a group, -1 for that which it has, with permissions. A file with several names may
// be another's in another place.
func Give(f *os.File, uid, gid int, mode fs.FileMode) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() && (!info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Nlink != 1) {
		return fmt.Errorf("%s is no file of its own", f.Name())
	}
	if uid >= 0 || gid >= 0 {
		if err := f.Chown(uid, gid); err != nil {
			return err
		}
	}
	return f.Chmod(mode)
}

// GiveBelow is Give for a file in a directory that is open, or with the name "." for the directory.
func GiveBelow(root *os.Root, name string, uid, gid int, mode fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(Give(f, uid, gid, mode), f.Close())
}

// namesIn are the names in a directory that is open.
func namesIn(root *os.Root) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// move moves a name from one directory that is open to another, with the flags of renameat2(2).
func move(name string, from, to *os.Root, flags uint) error {
	source, err := from.Open(".")
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := to.Open(".")
	if err != nil {
		return err
	}
	defer target.Close()
	return unix.Renameat2(int(source.Fd()), name, int(target.Fd()), name, flags)
}
