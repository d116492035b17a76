// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Fault is something that goes wrong between the host and the SCM.
type Fault struct {
	Timeouts int  // so many calls, of any processes, answer ErrTimeout
	Restart  bool // the daemon starts anew: calls answer ErrAbsent until Reconnect, or Close and Open
	HugeSlot bool // the daemon dies, as if by Restart, of the number of a slot that there cannot be
}

// InjectFault makes things go wrong from now on. The zero Fault mends what can be
// mended.
func (d *Device) InjectFault(f Fault) error {
	if f.Timeouts < 0 {
		return fmt.Errorf("%d timeouts: %w", f.Timeouts, scm.ErrInput)
	}
	return d.inject(func(c *condition) error {
		c.Link.Timeouts, c.Link.HugeSlot = f.Timeouts, f.HugeSlot
		if f.Restart {
			c.Link.Daemon++
		}
		return nil
	})
}

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
	if err := d.change(d.empty); err != nil {
		return err
	}
	r := newRoot()
	defer r.destroy()
	return fault(d.file.Update(func(tx *sql.Tx) error { return d.refurnish(tx, r) }))
}

// empty leaves nothing of the SCM but its serial number and its daemon.
func (d *Device) empty(tx *sql.Tx, c *condition) error {
	*c = condition{Link: link{Daemon: c.Link.Daemon}, Destroyed: true}
	if _, err := tx.Exec("DELETE FROM boot_file"); err != nil {
		return err
	}
	if err := unbind(tx); err != nil {
		return err
	}
	return d.wipe(tx)
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
