// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"io/fs"
	"os"
)

// The files of the locks hold nothing, and somebody may take them for what is left over.
// A process that makes one anew has it alone at once, beside those that have the one that was deleted.
// So the locks are of what they are for, too: the file's lock of the database, the write lock
// of the log.

// guardFiles waits until nobody is in the database or in the log, by whatever lock. It is called
// with both locks alone. It keeps neither of the two while it waits for the other: a writer by
// another lock needs both.
func (o *opened) guardFiles(p patience) (err error) {
	if o.log, err = o.dir.Open(o.name+logSuffix, os.O_RDWR, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.retryUntil(o.tryGuard)
}

func (o *opened) tryGuard() (done bool, err error) {
	if o.log != nil {
		if done, err := o.writeLock.guardFile(o.log); !done {
			return false, err
		}
	}
	done, err = o.tryGuardDatabase()
	if !done {
		o.writeLock.unguard()
	}
	return done, err
}

// guardInUse is called with a share of the file's lock.
func (o *opened) guardInUse() (err error) {
	if o.log, err = o.dir.Open(o.name+logSuffix, os.O_RDWR, 0); err != nil {
		return err
	}
	if done, err := o.tryGuard(); !done {
		return errors.Join(err, errAlone)
	}
	return nil
}

// guardReadOnly is called with a share of the file's lock. What cannot be opened is not read
// either.
func (o *opened) guardReadOnly() (err error) {
	o.database, err = o.dir.Open(o.name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return o.opening.retryUntil(o.tryGuardDatabase)
}

func (o *opened) tryGuardDatabase() (done bool, err error) { return o.lock.guardFile(o.database) }
