// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"errors"
	"fmt"
)

// Change holds the versions between which a transaction lies: nobody else's commit
// is between them. Who knew the state Before, and what the transaction did, knows the
// state After.
type Change struct{ Before, After uint64 }

// Update calls fn in a transaction, and commits it when fn returns nil; it is
// then on stable storage. Otherwise nothing has changed. All parts count as
// changed. Update returns fn's error, ErrReadOnly, ErrBusy, ErrFull, ErrCorrupt or
// ErrLost.
func (f *File) Update(fn func(*sql.Tx) error) error {
	_, err := f.Change(func(tx *sql.Tx) ([]int, error) { return []int{allParts}, fn(tx) })
	return err
}

// Change is Update for a function that returns which parts it has changed; the
// others keep their versions.
func (f *File) Change(fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = f.asWriter(func(p patience) error {
		c, err = f.transact(p, fn)
		return err
	})
	return c, err
}

// Release is Change for what gives room back. Where the disk is full it takes the
// room that is kept for it, and calls fn again.
func (f *File) Release(fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = f.asWriter(func(p patience) error {
		c, err = f.makeRoom(p, fn)
		return err
	})
	return c, err
}

// makeRoom is Release with the write lock.
func (f *File) makeRoom(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	c, err = f.transact(p, fn)
	if errors.Is(err, ErrFull) && f.giveUpRoom() {
		_ = f.empty(p.atMost(emptyWait), false)
		c, err = f.transact(p, fn)
		_ = f.empty(p.atMost(0), false)
		f.retakeRoom()
	}
	return c, err
}

// asWriter calls write with the write lock, and cleans up after it.
func (f *File) asWriter(write func(patience) error) error { return f.asWriterWithin(f.arrive(), write) }

func (f *File) asWriterWithin(p patience, write func(patience) error) error {
	if f.readOnly {
		return fmt.Errorf("%s: %w", f.path, ErrReadOnly)
	}
	release, err := f.writeLock.exclusive(p)
	if err != nil {
		return describe(f.path, err)
	}
	defer release()
	if err := relax(f.writer, false); err != nil { // which a change before may have failed to do
		return describe(f.path, err)
	}
	f.shortenLog(p.atMost(0)) // which others may have kept from it before
	err = write(p)
	f.tidy(p, err)
	return err
}

// transact is called with the write lock. The file's lock it shares with readers.
func (f *File) transact(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	if f.gen.unsettled() {
		f.repairAlone(p.atMost(repairWait))
	}
	release, err := f.enter(p)
	if err != nil {
		return c, describe(f.path, err)
	}
	defer release()
	before, logged := checkpoint(f.writer, "NOOP")
	died := f.gen.unsettled()
	if err := f.gen.begin(); err != nil {
		return c, describe(f.path, err)
	}
	tx, err := beginWriting(f.writer, p)
	if err != nil && died {
		return c, describe(f.path, err) // the mark stays
	}
	defer f.gen.end()
	if err != nil {
		return c, describe(f.path, err)
	}
	defer tx.Rollback() // without effect after Commit
	if died {
		if _, err := f.gen.tell(allParts); err != nil {
			return c, describe(f.path, err)
		}
	}
	if err := f.beginLog(tx, before, logged); err != nil {
		return c, describe(f.path, err)
	}
	if c, err = f.finish(tx, fn); err == nil {
		log, _ := checkpoint(f.writer, "NOOP")
		f.logged = log.all - log.copied
		f.lengthenIndex(log.all)
	}
	return c, err
}

// beginLog has a log that may begin anew begin with the first page of the file.
func (f *File) beginLog(tx *sql.Tx, log frames, err error) error {
	if err == nil && log.copied < log.all {
		return nil
	}
	return writeFirstPage(tx)
}

// finish calls fn, commits and tells. A commit that fails may be whole on the disk all
// the same, where a repair would find it.
func (f *File) finish(tx *sql.Tx, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	parts, err := fn(tx)
	if err != nil {
		return c, describe(f.path, err)
	}
	if err := f.reserve(); err != nil {
		return c, describe(f.path, err)
	}
	if err = tx.Commit(); err != nil {
		parts = []int{allParts}
	}
	c.Before = f.gen.version()
	after, told := f.gen.tell(parts...)
	if err = errors.Join(err, told); err != nil {
		return Change{}, describe(f.path, err)
	}
	c.After = after
	return c, nil
}

func beginWriting(db *writer, p patience) (*sql.Tx, error) {
	return begin(db.DB, p, &db.standstill, func(*sql.Tx) error { return nil }) // immediate, see connect
}
