// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/pkcs11"
)

// unmade describes the soft SCM that open would make: where the state directory is missing or
// empty, and this user can make one. Where anything is there, or in the way, open has to tell.
func (o opener) unmade() pkcs11.Unmade {
	if o.hardware() || o.serial == "" || !o.isEmpty() {
		return nil
	}
	if _, err := o.access(); err != nil {
		return nil
	}
	device, err := soft.NewUnmade(soft.Options{Settings: o.settings.Soft, Serial: o.serial})
	if err != nil {
		return nil
	}
	return device
}

// isEmpty reports whether there is no file in the state directory, and some could be made there.
func (o opener) isEmpty() bool {
	dir, err := os.Open(o.slot.State)
	if errors.Is(err, fs.ErrNotExist) {
		return canMake(o.slot.State)
	}
	if err != nil {
		return false
	}
	defer dir.Close()
	_, err = dir.Readdirnames(1)
	return errors.Is(err, io.EOF) && isWritable(o.slot.State)
}

// canMake reports whether this user can make a directory that is missing, with those above it.
func canMake(path string) bool {
	for parent := filepath.Dir(path); parent != path; path, parent = parent, filepath.Dir(parent) {
		if _, err := os.Lstat(parent); !errors.Is(err, fs.ErrNotExist) {
			return err == nil && isWritable(parent)
		}
	}
	return false
}

// isWritable reports whether this user can make files in a directory.
func isWritable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS) == nil
}
