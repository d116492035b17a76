// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"errors"
	"fmt"
)

// Change holds the versions between which a transaction lies: nobody else's commit
// is between them. A process that knew the state Before, and what the transaction did,
// knows the state After.
type Change struct{ Before, After uint64 }

func (o *opened) change(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	w, err := o.beginWork(p)
	if err != nil {
		return c, err
	}
	defer w.end(&err)
	return o.transact(p, fn)
}

func (o *opened) release(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	w, err := o.beginWork(p)
	if err != nil {
		return c, err
	}
	defer w.end(&err)
	return o.makeRoom(p, fn)
}

// makeRoom is Release with the write lock.
func (o *opened) makeRoom(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	c, err = o.transact(p, fn)
	if errors.Is(err, ErrFull) && o.giveUpRoom() {
		_ = o.emptyLog(p.atMost(emptyWait))
		c, err = o.transact(p, fn)
		_ = o.emptyLog(p.atMost(0))
		o.retakeRoom()
	}
	return c, err
}

// work is what somebody does with the write lock.
type work struct {
	*opened
	patience patience
	release  func() // of the write lock
}

// beginWork takes the write lock. The work ends with end, if there is no error.
func (o *opened) beginWork(p patience) (*work, error) {
	if o.readOnly {
		return nil, fmt.Errorf("%s: %w", o.path, ErrReadOnly)
	}
	release, err := o.writeLock.exclusive(p)
	if err != nil {
		return nil, describe(o.path, err)
	}
	if err = o.unchanged(); err == nil {
		err = setSynchronous(o.writer, full) // which a change before may have failed to do
	}
	if err != nil {
		release()
		return nil, describe(o.path, err)
	}
	o.shortenLog(p.atMost(0)) // which others may have kept from it before
	return &work{opened: o, patience: p, release: release}, nil
}

// end cleans up. What was done to files that nobody finds is not done.
func (w *work) end(err *error) {
	defer w.release()
	if *err == nil {
		*err = describe(w.path, w.unchanged())
	}
	w.tidyLog(w.patience, *err)
}

// unchanged returns why a change would not be found by others, or is not. What somebody
// has seen before the caller had the lock does not do.
func (o *opened) unchanged() error {
	if err := o.companions.inspect(o); err != nil {
		return err
	}
	return o.logUsable()
}

// transact is called with the write lock. The file's lock it shares with readers.
func (o *opened) transact(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	if o.gen.unsettled() {
		o.repairAlone(p.atMost(repairWait))
	}
	release, err := o.shareFile(p)
	if err != nil {
		return c, describe(o.path, err)
	}
	defer release()
	before, logged := checkpoint(o.writer, "NOOP")
	died := o.gen.unsettled()
	if err := o.gen.beginChange(); err != nil {
		return c, describe(o.path, err)
	}
	tx, err := beginWriting(o.writer, p)
	if err != nil && died {
		return c, describe(o.path, err) // the mark stays
	}
	defer o.gen.endChange()
	if err != nil {
		return c, describe(o.path, err)
	}
	defer tx.Rollback() // without effect after Commit
	if died {
		if _, err := o.gen.tellChange(allParts); err != nil {
			return c, describe(o.path, err)
		}
	}
	if err := o.beginLog(tx, before, logged); err != nil {
		return c, describe(o.path, err)
	}
	if c, err = o.finish(tx, fn); err == nil {
		log, _ := checkpoint(o.writer, "NOOP")
		o.logged = log.all - log.copied
		o.lengthenIndex(log.all)
	}
	return c, err
}

// beginLog has a log that may begin anew begin with the first page of the file.
func (o *opened) beginLog(tx *sql.Tx, log frames, err error) error {
	if err == nil && log.copied < log.all {
		return nil
	}
	return writeFirstPage(tx)
}

// finish calls fn, commits and tells. A commit that fails may be whole on the disk all
// the same, where a repair would find it.
func (o *opened) finish(tx *sql.Tx, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	parts, err := fn(tx)
	if err != nil {
		return c, describe(o.path, err)
	}
	size, err := o.reserve()
	if err != nil {
		return c, describe(o.path, err)
	}
	if err = tx.Commit(); err == nil {
		o.companions.noteGrowth(size)
	} else {
		parts = []int{allParts}
	}
	c, told := o.tell(parts)
	if err = errors.Join(err, told); err != nil {
		return Change{}, describe(o.path, err)
	}
	return c, nil
}

// tell gives the change its number.
func (o *opened) tell(parts []int) (c Change, err error) {
	before := o.gen.version()
	after, err := o.gen.tellChange(parts...)
	return Change{Before: o.base + before, After: o.base + after}, err
}
func beginWriting(db *writer, p patience) (*sql.Tx, error) {
	return beginTransaction(db.DB, p, &db.standstill, startsAtOnce) // immediate, see connect
}

func startsAtOnce(*sql.Tx) error { return nil }
