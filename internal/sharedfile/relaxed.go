// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"time"
)

// Relaxed is Release that does not wait for the disk: everybody sees the change, and no
// kill undoes it, but a loss of power may, together with all that has come after it. It is
// on stable storage when a later change is.
func (f *File) Relaxed(fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = f.asWriter(func(p patience) error {
		c, err = f.withoutSync(p, fn)
		return err
	})
	return c, err
}

// Soon is Relaxed for what can be left to somebody else, or to later: it returns ErrBusy when
// others use the file for longer than wait.
func (f *File) Soon(wait time.Duration, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = f.asWriterWithin(f.arrive().atMost(wait), func(p patience) error {
		c, err = f.withoutSync(p, fn)
		return err
	})
	return c, err
}

// Erase is Release followed by Purge: what it has deleted is in neither file afterwards,
// unless others stay in the file. It waits for the disk once less than the two of them.
func (f *File) Erase(fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = f.asWriter(func(p patience) error {
		if c, err = f.withoutSync(p, fn); err != nil {
			return err
		}
		if err := f.gen.store(wordPurge, 1); err != nil {
			return describe(f.path, err)
		}
		if f.empty(f.arrive().atMost(emptyWait), true) == nil {
			return nil // which has synced the log before it has copied it
		}
		return describe(f.path, plain(f.log.Sync()))
	})
	return c, err
}

// withoutSync is called with the write lock.
func (f *File) withoutSync(p patience, fn func(*sql.Tx) ([]int, error)) (Change, error) {
	if err := relax(f.writer, true); err != nil {
		return Change{}, describe(f.path, err)
	}
	defer func() { _ = relax(f.writer, false) }() // the next writer tells if it fails
	return f.makeRoom(p, fn)
}
