// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// A writer that dies may leave the log's index torn, and SQLite makes it anew. That
// is for somebody who is alone, as SQLite's own locks do not keep another copy of
// SQLite in this process out. So the mark that a writer leaves stays until somebody
// has looked at the file alone, or at least with the write lock, which keeps new
// frames out of the log.

// repairWait bounds how long a call tries to be alone for that.
const repairWait = 20 * time.Millisecond

// repairing is what a writer has left that is dead, and the write lock. nil: nothing.
type repairing struct {
	*opened
	release func()
	ended   bool // the lock is not needed any more
}

// repair looks whether the writer that has left the mark is dead, and then settles
// what it has changed. Where others stay in the file, perhaps because they are
// stopped, it leaves that to the caller, who holds the write lock until finish.
func (o *opened) repair(p patience) *repairing {
	if o.readOnly || !o.gen.unsettled() {
		return nil
	}
	release, ok := o.writeLock.tryExclusive()
	if !ok { // it lives
		return nil
	}
	r := &repairing{opened: o, release: release, ended: true}
	defer r.releaseEnded()
	r.ended = !o.gen.unsettled() || o.repairAlone(p)
	return r
}

func (r *repairing) releaseEnded() {
	if r.ended {
		r.release()
	}
}

// finish settles what is left once a transaction has begun, which has looked at the log's
// index: without an error, that is.
func (r *repairing) finish(err *error) {
	if r == nil || r.ended {
		return
	}
	defer r.release()
	if *err == nil && r.gen.unsettled() {
		r.gen.settle()
	}
}

// leave leaves what is left to others.
func (r *repairing) leave() {
	if r != nil && !r.ended {
		r.release()
	}
}

// repairAlone is called with the write lock. It reports whether the mark is gone.
func (o *opened) repairAlone(p patience) bool {
	release, err := o.aloneIn(p)
	if err != nil {
		return false
	}
	defer release()
	if !o.gen.unsettled() { // others were faster
		return true
	}
	tx, err := beginWriting(o.writer, p)
	if err != nil {
		return false
	}
	if err := tx.Rollback(); err != nil {
		return false
	}
	o.gen.settle()
	return true
}
