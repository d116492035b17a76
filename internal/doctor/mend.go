// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
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

// modeMend gives a file permissions.
func modeMend(path string, mode fs.FileMode) func() error {
	return func() error { return os.Chmod(path, mode) }
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
	directory string
	owner     int // -1: as it is
	group     int // -1: as it is
	mode      fs.FileMode
	file      fs.FileMode
}

// mend gives the directory and the files of the token in it their owner, group and permissions. Links are left alone.
func (o ownership) mend() error {
	if err := o.apply(o.directory, o.mode); err != nil {
		return err
	}
	for _, file := range stateFiles(o.directory) {
		if err := o.apply(file.path, o.file); err != nil {
			return err
		}
	}
	return nil
}

func (o ownership) apply(path string, mode fs.FileMode) error {
	if o.owner >= 0 || o.group >= 0 {
		if err := os.Lchown(path, o.owner, o.group); err != nil {
			return err
		}
	}
	return os.Chmod(path, mode)
}
