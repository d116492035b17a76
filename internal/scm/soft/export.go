// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// DisableExport makes the public key in a slot one that is never given away
// again: PublicKey, or ForeignKey, answers ErrExport from then on. It can still
// be used. ErrSlotRange, ErrSlotEmpty, and ErrPermanent where the settings keep
// permanent slots shown.
func (d *Device) DisableExport(s scm.Slot, foreign bool) error {
	known, err := d.current(only(s))
	if err != nil {
		return err
	}
	if err := d.mayHide(known, s, foreign); err != nil {
		return err
	}
	statement, part := "UPDATE key SET hidden = TRUE WHERE slot = ?", partOf(s)
	if foreign {
		statement, part = "UPDATE foreign_key SET hidden = TRUE WHERE slot = ?", restPart
	}
	return d.transact(func(tx *sql.Tx, e *effect) error {
		e.touch(part)
		done, err := tx.Exec(statement, int(s))
		return someRow(done, err, s)
	})
}

func (d *Device) mayHide(known *snapshot, s scm.Slot, foreign bool) error {
	if foreign {
		_, err := known.foreignKey(s)
		return err
	}
	if s.Permanent() && d.options.PermanentShown {
		return fmt.Errorf("slot %d: %w", s, scm.ErrPermanent)
	}
	_, err := known.key(s)
	return err
}
