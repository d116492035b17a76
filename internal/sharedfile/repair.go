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

func nothing(bool) {}

// repair looks whether the writer that has left the mark is dead, and then settles
// what it has changed. Where others stay in the file, perhaps because they are
// stopped, it leaves that to the caller, who holds the write lock until finish: whether
// a transaction has begun.
func (o *opened) repair(p patience) (finish func(looked bool)) {
	if o.readOnly || !o.gen.unsettled() {
		return nothing
	}
	release, ok := o.writeLock.tryExclusive()
	if !ok { // it lives
		return nothing
	}
	repaired := true
	defer func() {
		if repaired {
			release()
		}
	}()
	if repaired = !o.gen.unsettled() || o.repairAlone(p); repaired {
		return nothing
	}
	return func(looked bool) {
		defer release()
		if looked && o.gen.unsettled() {
			o.gen.settle()
		}
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
