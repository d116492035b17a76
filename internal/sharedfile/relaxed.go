// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "database/sql"

func (o *opened) relaxed(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = o.asWriter(p, func() error {
		c, err = o.withoutSync(p, fn)
		return err
	})
	return c, err
}

func (o *opened) erase(p patience, fn func(*sql.Tx) ([]int, error)) (c Change, err error) {
	err = o.asWriter(p, func() error {
		if c, err = o.withoutSync(p, fn); err != nil {
			return err
		}
		if err := o.gen.storeWord(wordPurge, 1); err != nil {
			return describe(o.path, err)
		}
		if o.emptyLog(o.arrive().atMost(emptyWait), true) == nil {
			return nil // which has synced the log before it has copied it
		}
		return describe(o.path, withoutName(o.log.Sync()))
	})
	return c, err
}

// withoutSync is called with the write lock.
func (o *opened) withoutSync(p patience, fn func(*sql.Tx) ([]int, error)) (Change, error) {
	if err := setRelaxed(o.writer, true); err != nil {
		return Change{}, describe(o.path, err)
	}
	defer func() { _ = setRelaxed(o.writer, false) }() // the next writer tells if it fails
	return o.makeRoom(p, fn)
}
