// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"libzk_pkcs11/internal/scm"
)

// condition is the state of the SCM beside its keys: nothing in it is secret.
// What is not said here is zero on a new SCM.
type condition struct {
	Link      link
	Destroyed bool // its keys are gone for good
}

// link is what stands between the SCM and its host.
type link struct {
	Absent   string    // why the SCM does not answer at all; "" when it does
	Ready    time.Time // it does not answer before
	Settled  time.Time // calls time out before
	Daemon   int       // how often the daemon has started anew
	Timeouts int       // how many calls time out yet
	HugeSlot bool      // the daemon dies when it hears the number of a slot that there cannot be
}

// factoryCondition is that of a new SCM.
func factoryCondition() condition { return condition{} }

func readCondition(tx *sql.Tx) (c condition, err error) {
	var text []byte
	if err := tx.QueryRow("SELECT condition FROM scm").Scan(&text); err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("condition: %w: %w", scm.ErrDevice, err)
	}
	return c, nil
}

func writeCondition(tx *sql.Tx, c condition) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE scm SET condition = ?", string(text))
	return err
}

// change changes the condition, and what else belongs to the change, in one
// transaction.
func (d *Device) change(f func(tx *sql.Tx, c *condition) error) error {
	return fault(d.file.Update(func(tx *sql.Tx) error {
		c, err := readCondition(tx)
		if err != nil {
			return err
		}
		if err := f(tx, &c); err != nil {
			return err
		}
		return writeCondition(tx, c)
	}))
}

// inject is a change that the world makes, whether the SCM answers or not.
func (d *Device) inject(f func(c *condition)) error {
	return d.change(func(_ *sql.Tx, c *condition) error {
		f(c)
		return nil
	})
}
