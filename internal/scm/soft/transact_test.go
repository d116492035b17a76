// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"testing"
)

// TestCountedWhenCommitted: a change that fails at its commit is not counted, not even in
// this process, whose token would take the flash for an older copy later.
func TestCountedWhenCommitted(t *testing.T) {
	d := openTest(t, t.TempDir())
	before := d.Counted()
	err := d.transact(func(tx *sql.Tx, e *effect) error {
		e.touchPart(restPart)
		if _, err := tx.Exec("PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE key SET parent = 500 WHERE slot = 1") // no such key
		return err
	})
	if err == nil {
		t.Fatal("a key has a parent that is not there")
	}
	if now := d.Counted(); now != before {
		t.Errorf("%d changes counted, %d before one that failed", now, before)
	}
}
