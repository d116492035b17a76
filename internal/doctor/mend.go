// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/scm/soft"
)

// Mended is a finding that Mend has dealt with.
type Mended struct {
	Finding
	Problem string `json:"problem,omitempty"` // why it could not be mended
}

// Mend does what is safe of what a report tells: permissions, groups and owners of what is there, links that lead nowhere.
// It removes no file that has anything in it, and touches no key, no PIN and no setting.
func (r Report) Mend() []Mended {
	done := []Mended{}
	for _, f := range r.Findings {
		if f.mend == nil {
			continue
		}
		m := Mended{Finding: f}
		if err := f.mend(); err != nil {
			m.Problem = err.Error()
		}
		done = append(done, m)
	}
	return done
}

// change is what a file or directory gets: an owner and a group, -1 for that which it has, and permissions.
type change struct {
	owner, group int
	mode         fs.FileMode
}

// modeMend gives a file or directory permissions.
func modeMend(path string, mode fs.FileMode) func() error {
	return func() error { return change{-1, -1, mode}.at(path) }
}

// at changes what has the path, if that is no link: root mends in directories of others, and they could have it lead anywhere.
func (c change) at(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return fmt.Errorf("%s is a link, which is followed by nobody but the one who made it: mend what it leads to", path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return c.to(f)
}

// to changes what is open. A file with several names may be another's in another place.
func (c change) to(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() && (!info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Nlink != 1) {
		return fmt.Errorf("%s is no file of its own", f.Name())
	}
	if c.owner >= 0 || c.group >= 0 {
		if err := f.Chown(c.owner, c.group); err != nil {
			return err
		}
	}
	return f.Chmod(c.mode)
}

// unlinkMend removes a symbolic link that leads nowhere, if it is still that.
func unlinkMend(path string) func() error {
	return func() error {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return errors.Join(err, fmt.Errorf("%s is no link any more", path))
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s leads somewhere now", path)
		}
		return os.Remove(path)
	}
}

// ownership is what a state directory and its files are to be like.
type ownership struct {
	path            string
	directory, file change
}

// mend gives the directory and the files of the token in it their owner, group and permissions. The files are opened
// below the directory that is open, so that nobody puts another in its place meanwhile.
func (o ownership) mend() error {
	if err := o.directory.at(o.path); err != nil {
		return err
	}
	root, err := os.OpenRoot(o.path)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, file := range stateFiles(o.path) {
		f, err := root.OpenFile(filepath.Base(file.path), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(o.changeOf(file).to(f), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// changeOf is what a file gets: nobody but its owner writes the root key.
func (o ownership) changeOf(file entry) change {
	c := o.file
	if filepath.Base(file.path) == soft.RootKeyFile {
		c.mode &^= 0o022
	}
	return c
}
