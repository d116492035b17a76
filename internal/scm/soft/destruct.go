// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"database/sql"
)

// selfDestruct is what a self-destruct action does: in production mode every key
// is gone for good, in development mode the LED tells the code.
func (d *Device) selfDestruct(tx *sql.Tx, c *condition, development, production fatal) error {
	if !c.Binding.Locked {
		c.Light.die(development, d.clock())
		return nil
	}
	c.Light.die(production, d.clock())
	c.Destroyed = true
	return d.wipe(tx)
}

// purge takes keys that were erased, or sealed anew, out of the log of the flash,
// too. Whoever cannot do it leaves it to the next one who does.
func (d *Device) purge() { _ = d.file.Purge() }

// wipe erases every key and every secret, and the root key with them: what was
// sealed under it, wherever there is a copy, is lost. The file of the root key
// goes after the transaction, by tidy.
func (d *Device) wipe(tx *sql.Tx) error {
	for _, table := range []string{"key", "foreign_key", "secret"} {
		if _, err := tx.Exec("DELETE FROM " + table); err != nil {
			return err
		}
	}
	id := make([]byte, rootIDSize)
	rand.Read(id)
	return writeRoot(tx, id, nil)
}
