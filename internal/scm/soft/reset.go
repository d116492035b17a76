// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"database/sql"
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

// Reset makes the SCM one as from the factory, with new keys and nothing sealed,
// in development mode. It keeps its serial number, and belongs to no token. A crash in it leaves an SCM
// that is as before, has destroyed its keys, or is new.
func (d *Device) Reset() error {
	d.sealing.Lock()
	defer d.sealing.Unlock()
	if _, err := d.refresh(everySlot); err != nil && !errors.Is(err, scm.ErrDevice) {
		return err
	}
	// In two steps, because the root key's file changes outside of transactions:
	// no key may be there while it does.
	if err := d.change(emptyFlash); err != nil {
		return err
	}
	r := newRoot()
	defer r.destroy()
	return deviceError(d.file.Update(func(tx *sql.Tx) error { return d.refurnish(tx, r) }))
}

// emptyFlash leaves nothing of the SCM but its serial number and its daemon.
func emptyFlash(tx *sql.Tx, c *board.Condition) error {
	*c = board.EmptyCondition(c.Link.Daemon)
	if _, err := tx.Exec("DELETE FROM boot_file"); err != nil {
		return err
	}
	if err := unbind(tx); err != nil {
		return err
	}
	return wipeKeys(tx)
}

func (d *Device) refurnish(tx *sql.Tx, r *root) error {
	c, err := readCondition(tx)
	if err != nil {
		return err
	}
	if !c.Destroyed {
		return nil // another process was faster
	}
	if err := d.rootKey.write(r); err != nil {
		return err
	}
	if err := writeRoot(tx, r.id, nil); err != nil {
		return err
	}
	return furnish(tx, r, d.clock(), c.Link.Daemon)
}

// purgeLog takes keys that were erased, or sealed anew, out of the log of the flash,
// too. A process that cannot do it leaves it to the next one.
func (d *Device) purgeLog() { _ = d.file.Purge() }

// wipeKeys erases every key and every secret, and the root key with them: what was
// sealed under it, wherever there is a copy, is lost. The file of the root key
// goes after the transaction, by removeRootFile.
func wipeKeys(tx *sql.Tx) error {
	for _, table := range []string{"key", "foreign_key", "secret"} {
		if _, err := tx.Exec("DELETE FROM " + table); err != nil {
			return err
		}
	}
	id := make([]byte, rootIDSize)
	rand.Read(id)
	return writeRoot(tx, id, nil)
}
