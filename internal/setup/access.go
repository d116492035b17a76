// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// access says who may use the state: its owner, or a group too.
type access struct {
	directory, parents, file fs.FileMode
	group                    int // -1: that of the process
}

// accessOf returns the access of a group's members, or of the owner alone when
// there is no group.
func accessOf(group string) (access, error) {
	if group == "" {
		return access{directory: 0o700, parents: 0o700, file: 0o600, group: -1}, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return access{}, fmt.Errorf("state_group: %w", err)
	}
	gid, err := strconv.Atoi(g.Gid)
	return access{directory: 0o770 | fs.ModeSetgid, parents: 0o755, file: 0o660, group: gid}, err
}

// makeDirectory makes a directory that is missing, with these permissions
// whatever the host's umask is; one that is there stays as it is.
func (a access) makeDirectory(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), a.parents); err != nil {
		return err
	}
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil && a.group >= 0 {
		err = os.Chown(path, -1, a.group)
	}
	if err == nil {
		err = os.Chmod(path, a.directory)
	}
	return err
}
