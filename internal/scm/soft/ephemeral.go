// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"

	"libzk_pkcs11/internal/scm"
)

// GenerateEphemeral makes the one key pair of scm.EphemeralSlot, in place of an
// earlier one. It stays until InvalidateEphemeral or the next Boot, whichever
// process calls them.
func (d *Device) GenerateEphemeral(c scm.Curve) error {
	_, err := d.create(c, func(tx *sql.Tx) (scm.Slot, error) {
		return scm.EphemeralSlot, dropEphemeral(tx)
	})
	return err
}

// InvalidateEphemeral erases the ephemeral key pair, if there is one.
func (d *Device) InvalidateEphemeral() error {
	if _, err := d.current(); err != nil {
		return err
	}
	return d.release(func(tx *sql.Tx, e *effect) error {
		e.holdKey(scm.EphemeralSlot, nil)
		return dropEphemeral(tx)
	})
}

func dropEphemeral(tx *sql.Tx) error {
	if _, err := eraseKey(tx, scm.Key{Slot: scm.EphemeralSlot}); err != nil && !errors.Is(err, scm.ErrSlotEmpty) {
		return err
	}
	return nil
}
