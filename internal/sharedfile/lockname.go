// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"fmt"
	"path/filepath"

	"libzk_pkcs11/internal/descriptor"
)

// lockName is by what a lock is found that is no part of a File.
type lockName struct {
	dir     *descriptor.Directory
	beside  string // without this file in the directory the lock is not made anew
	options Options
}

func (n *lockName) close() error {
	if n == nil {
		return nil
	}
	return n.dir.Close()
}

// leadsElsewhere reports whether newcomers lock another file, or make one. A process that
// may not look any more keeps what is open.
func (n *lockName) leadsElsewhere(file *descriptor.File) bool {
	name := filepath.Base(file.Name())
	leads, err := n.dir.Leads(name, file)
	return err == nil && !leads || n.dir.Succeeded(n.beside)
}

// follow opens the lock file that is there now in the place of one that newcomers do not find, for
// the holder of mu while nobody has the lock.
func (l *Lock) follow() error {
	if l.own == nil || !l.own.leadsElsewhere(l.file) {
		return nil
	}
	dir, err := descriptor.OpenDirectory(filepath.Dir(l.path))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	}
	if !dir.Exists(l.own.beside) {
		return errors.Join(ErrRemoved, dir.Close())
	}
	file, err := openOrCreate(dir, filepath.Base(l.path), l.own.options)
	if err != nil {
		return errors.Join(withoutName(err), dir.Close())
	}
	l.exchange(file, dir)
	return nil
}

// exchange has the lock be one of another file in another directory.
func (l *Lock) exchange(file *descriptor.File, dir *descriptor.Directory) {
	l.forget()
	_ = l.file.Close()
	_ = l.own.dir.Close()
	next := newLock(file, l.process)
	l.file, l.forget, l.own.dir = file, next.forget, dir
}
