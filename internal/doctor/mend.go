// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/setup"
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
		return setup.IsLink(path)
	}
	if err != nil {
		return err
	}
	return errors.Join(setup.Give(f, c.owner, c.group, c.mode), f.Close())
}

// below changes a file in a directory that is open.
func (c change) below(root *os.Root, name string) error {
	return setup.GiveBelow(root, name, c.owner, c.group, c.mode)
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

// mend gives the directory and the files of the token in it their owner, group and permissions. The directory is opened once,
// so that nobody puts another in its place meanwhile.
func (o ownership) mend() error {
	root, err := setup.OpenDirectory(o.path)
	if err != nil {
		return err
	}
	defer root.Close()
	return o.mendIn(root)
}

// mendIn is mend below a directory that is open.
func (o ownership) mendIn(root *os.Root) error {
	if err := o.directory.below(root, "."); err != nil {
		return err
	}
	for _, file := range stateFilesIn(root, o.path) {
		if err := o.changeOf(file).below(root, filepath.Base(file.path)); err != nil {
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

// closing takes permissions for everybody from files in a directory.
type closing struct {
	directory string
	files     []entry
}

func (c closing) mend() error {
	root, err := setup.OpenDirectory(c.directory)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, file := range c.files {
		if err := (change{-1, -1, file.mode &^ 0o007}).below(root, filepath.Base(file.path)); err != nil {
			return err
		}
	}
	return nil
}
