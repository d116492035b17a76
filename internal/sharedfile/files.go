// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
)

const (
	lockSuffix  = ".lock"
	writeSuffix = ".write"
	genSuffix   = ".gen"
	roomSuffix  = ".room"

	// The files that SQLite makes beside its database; the last not in this mode.
	logSuffix     = "-wal"
	indexSuffix   = "-shm"
	journalSuffix = "-journal"
)

// databaseSuffixes are those of the files that SQLite opens.
var databaseSuffixes = [...]string{"", logSuffix, indexSuffix, journalSuffix}

// Remove deletes the file at path and its companions. Processes that have it
// open get ErrRemoved from then on. A file that is not there is no error.
func Remove(path string, wait time.Duration) error {
	dir, err := descriptor.OpenDirectory(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	name := filepath.Base(path)
	if !dir.Exists(name + lockSuffix) {
		return removeAll(dir, name)
	}
	lock, err := openLock(dir, name+lockSuffix, Options{Mode: 0o600, Group: -1})
	if err != nil {
		return err
	}
	defer lock.Close()
	release, err := lock.Exclusive(wait)
	if err != nil {
		return err
	}
	defer release()
	// The processes that mapped it look again, and find no lock.
	if gen, err := openGeneration(dir, name+genSuffix, Options{Mode: 0o600, Group: -1}); err == nil {
		gen.settle()
	}
	return removeAll(dir, name)
}

// removeAll deletes the lock file last, so that nobody makes the file anew
// before the rest is gone.
func removeAll(dir *descriptor.Directory, name string) error {
	for _, suffix := range [...]string{"", logSuffix, indexSuffix, genSuffix, roomSuffix, writeSuffix, lockSuffix} {
		if err := dir.Remove(name + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writable reports whether the file at path can be written, or made.
func writable(path string) bool {
	if !permits(filepath.Dir(path), unix.W_OK|unix.X_OK) {
		return false
	}
	for _, suffix := range [...]string{"", lockSuffix, writeSuffix, genSuffix} {
		_, err := os.Stat(path + suffix)
		if !errors.Is(err, fs.ErrNotExist) && !permits(path+suffix, unix.R_OK|unix.W_OK) {
			return false
		}
	}
	return true
}

func permits(path string, access uint32) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, access, unix.AT_EACCESS) == nil
}

// openOrCreate opens a file for reading and writing. It sets the permission
// and the group only of a file that it makes.
func openOrCreate(dir *descriptor.Directory, name string, o Options) (*descriptor.File, error) {
	file, err := dir.Open(name, os.O_RDWR, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	file, err = dir.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, o.Mode)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return dir.Open(name, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := adoptFile(file, o.Mode, o.Group); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// adoptFile sets the group, and the permission whatever the umask was.
func adoptFile(file *descriptor.File, mode fs.FileMode, group int) error {
	if group >= 0 {
		if err := file.Chgrp(group); err != nil {
			return err
		}
	}
	return file.Chmod(mode)
}
