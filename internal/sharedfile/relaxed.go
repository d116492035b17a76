// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "database/sql"

func (o *opened) relaxed(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	w, err := o.beginWork(p)
	if err != nil {
		return c, err
	}
	defer w.end(&err)
	return w.withoutSync(fn)
}

func (o *opened) erase(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	w, err := o.beginWork(p)
	if err != nil {
		return c, err
	}
	defer w.end(&err)
	if c, err = w.withoutSync(fn); err != nil {
		return c, err
	}
	return c, describe(o.path, w.wipe())
}

// wipe has what was deleted be gone from the log, or else on stable storage as the change is.
func (w *work) wipe() error {
	if err := w.gen.storeWord(wordPurge, 1); err != nil {
		return err
	}
	if w.wipeLog(w.arrive().atMost(emptyWait)) == nil {
		return nil // which has synced the log before it has copied it
	}
	return withoutName(w.log.Sync())
}

func (w *work) withoutSync(fn func(*sql.Tx) ([]int, error)) (Change, error) {
	if err := setSynchronous(w.writer, normal); err != nil {
		return Change{}, describe(w.path, err)
	}
	defer setSynchronous(w.writer, full) // the next writer tells if it fails
	return w.makeRoom(w.patience, fn)
}
