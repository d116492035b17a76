// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
)

func readCondition(tx *sql.Tx) (c board.Condition, err error) {
	var text []byte
	if err := tx.QueryRow("SELECT condition FROM scm").Scan(&text); err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("condition: %w: %w", scm.ErrDevice, err)
	}
	return c, nil
}

func writeCondition(tx *sql.Tx, c board.Condition) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE scm SET condition = ?", string(text))
	return err
}

// change changes the condition, and whatever else of the flash belongs to that, in one
// transaction. It works whether the SCM answers its host or not. One that is destroyed
// after it has no keys.
func (d *Device) change(f func(tx *sql.Tx, c *board.Condition) error) error {
	destroyed := false
	err := d.file.Update(func(tx *sql.Tx) error {
		c, err := readCondition(tx)
		if err != nil {
			return err
		}
		before := c.Destroyed
		if err := f(tx, &c); err != nil {
			return err
		}
		destroyed = c.Destroyed
		if destroyed && !before {
			if err := wipeKeys(tx); err != nil {
				return err
			}
		}
		return writeCondition(tx, c)
	})
	if err == nil && destroyed {
		d.removeRootFile()
		d.purgeLog()
	}
	return deviceError(err)
}

// inject changes nothing but the condition, as the world does, whether the SCM answers
// or not.
func (d *Device) inject(f func(c *board.Condition) error) error {
	return d.transact(func(tx *sql.Tx, e *effect) error {
		c, err := readCondition(tx)
		if err != nil {
			return err
		}
		if err := f(&c); err != nil {
			return err
		}
		r := e.changeRest()
		r.condition = c
		r.condition.Meet(d.options.Host)
		return writeCondition(tx, c)
	})
}
