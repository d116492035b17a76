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
	"syscall"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/descriptor"
)

// access says who may use the state: its owner, or a group too.
type access struct {
	directory, parents, file fs.FileMode
	group                    int // -1: that of the process
}

// accessOf returns the access to a state directory of a group's members, or of
// the owner alone when there is no group.
func accessOf(group, state string) (access, error) {
	if group == "" {
		return access{directory: 0o700, parents: 0o700, file: 0o600, group: -1}, nil
	}
	gid, err := groupID(group)
	if known, ok := descriptor.SharedBy(state); err != nil && ok {
		gid, err = known, nil
	}
	if err != nil {
		return access{}, fmt.Errorf("state_group: %w", err)
	}
	return accessOfGroup(gid), nil
}

func accessOfGroup(gid int) access {
	return access{directory: 0o770 | fs.ModeSetgid, parents: 0o755, file: 0o660, group: gid}
}

func groupID(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// SystemGroup is the group that the directory of all users is made for where it exists.
const SystemGroup = "zk_pkcs11"

// access returns who may use the state of the slot. The directory of all users is its group's without
// a setting, if it was made for one, or is yet to be made where there is that group.
func (o opener) access() (access, error) {
	group, top := o.settings.StateGroup, o.top()
	if group != "" || top != config.SystemState && o.slot.Shared == "" {
		return accessOf(group, o.slot.State)
	}
	_, err := os.Stat(top)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := groupID(SystemGroup); err == nil {
			return accessOf(SystemGroup, top)
		}
	}
	if gid, ok := descriptor.SharedBy(top); ok {
		return accessOfGroup(gid), nil
	}
	return accessOf("", top)
}

// top is the directory in which the states of slots are.
func (o opener) top() string {
	if o.slot.Shared != "" {
		return o.slot.Shared
	}
	return o.settings.State
}

// warnOfOthers tells of a state directory in which somebody else could put an SCM
// of his making.
func (o opener) warnOfOthers(a access) {
	info, err := os.Stat(o.slot.State)
	if err != nil {
		return
	}
	others := fs.FileMode(0o022)
	if a.group >= 0 {
		others = 0o002
	}
	if info.Mode()&others != 0 {
		o.log.Warningf("the state directory %s (%v) can be written by other users: leave it to its owner (chmod 0700), or to a group by the setting state_group",
			o.slot.State, info.Mode().Perm())
	}
}

// makeDirectory makes a directory that is missing, with these permissions
// whatever the host's umask is; one that is there stays as it is.
func (a access) makeDirectory(path string) error {
	if err := makeParents(filepath.Dir(path), a.parents); err != nil {
		return err
	}
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.adopt(path); err != nil {
		return err
	}
	return syncParent(path)
}

// adopt is for a directory that was made just now: a name that others have given to
// something else meanwhile does not lead there.
func (a access) adopt(path string) error {
	dir, err := descriptor.Open(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	if a.group >= 0 {
		if err := dir.Chgrp(a.group); err != nil {
			return err
		}
	}
	return dir.Chmod(a.directory)
}

// makeParents is os.MkdirAll whose directories survive a loss of power.
func makeParents(path string, mode fs.FileMode) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := makeParents(parent, mode); err != nil {
			return err
		}
	}
	err := os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	}
	if err != nil {
		return err
	}
	return syncParent(path)
}

// syncParent has the name of a new directory on stable storage. A process that may
// not read the parent leaves that to the system.
func syncParent(path string) error {
	parent, err := descriptor.Open(filepath.Dir(path), os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}
