// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// DisableExport makes the public key in a slot one that is never given away
// again: PublicKey returns ErrExport from then on. It can still
// be used. ErrSlotRange, ErrSlotEmpty, and ErrPermanent where the settings keep
// permanent slots shown.
func (d *Device) DisableExport(s scm.Slot) error {
	known, err := d.current(onlySlot(s))
	if err != nil {
		return err
	}
	if s.Permanent() && d.options.PermanentShown {
		return fmt.Errorf("slot %d: %w", s, scm.ErrPermanent)
	}
	if _, err := known.keyIn(s); err != nil {
		return err
	}
	return d.hideKey("UPDATE key SET hidden = TRUE WHERE slot = ?", s, partOf(s))
}

// DisableForeignExport is DisableExport of a foreign slot, for ForeignKey.
func (d *Device) DisableForeignExport(s scm.Slot) error {
	known, err := d.current()
	if err != nil {
		return err
	}
	if _, err := known.foreignKey(s); err != nil {
		return err
	}
	return d.hideKey("UPDATE foreign_key SET hidden = TRUE WHERE slot = ?", s, restPart)
}

// hideKey runs a statement about a slot in a part of the flash.
func (d *Device) hideKey(statement string, s scm.Slot, part int) error {
	return d.transact(func(tx *sql.Tx, e *effect) error {
		e.touchPart(part)
		done, err := tx.Exec(statement, int(s))
		return someRow(done, err, s)
	})
}
