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
	f, err := d.current()
	if err != nil {
		return err
	}
	if err := d.mayHide(f, s, foreign); err != nil {
		return err
	}
	statement := "UPDATE key SET hidden = TRUE WHERE slot = ?"
	if foreign {
		statement = "UPDATE foreign_key SET hidden = TRUE WHERE slot = ?"
	}
	return fault(d.file.Update(func(tx *sql.Tx) error {
		done, err := tx.Exec(statement, int(s))
		return someRow(done, err, s)
	}))
}

func (d *Device) mayHide(f *flash, s scm.Slot, foreign bool) error {
	if foreign {
		_, err := f.foreignKey(s)
		return err
	}
	if s.Permanent() && d.options.PermanentShown {
		return fmt.Errorf("slot %d: %w", s, scm.ErrPermanent)
	}
	_, err := f.key(s)
	return err
}
