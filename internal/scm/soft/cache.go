// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"maps"

	"libzk_pkcs11/internal/scm"
)

// fresh tells whether flash is what the file holds now. The caller holds mu.
func (d *Device) fresh() bool {
	return !d.closed && d.flash != nil && d.version == d.file.Version()
}

// refresh makes flash, root and ready what the file holds now. The caller holds
// mu for writing.
func (d *Device) refresh() error {
	if d.closed {
		return errClosed
	}
	if d.fresh() {
		return nil
	}
	// Read before the flash is: when the flash changes in between, the next
	// call finds another version and reads again.
	version := d.file.Version()
	err := d.file.View(func(tx *sql.Tx) error {
		f, err := readFlash(tx)
		if err != nil {
			return err
		}
		f.condition.Binding.meet(d.options.Host)
		return d.adopt(f)
	})
	if err != nil {
		return fault(err)
	}
	d.version = version
	return nil
}

// adopt replaces flash by f. A root key that is not the one of f is given up,
// and one that lies in its file taken from there; the caller keeps others from
// changing the flash meanwhile.
func (d *Device) adopt(f *flash) error {
	if d.root != nil && !bytes.Equal(d.root.id, f.rootID) {
		d.reset()
	}
	if d.root == nil && f.root == nil && !f.condition.Destroyed {
		r, err := d.rootKey.read(f.rootID)
		if err != nil {
			return err
		}
		d.root = r
	}
	if old := d.flash; old != nil {
		maps.DeleteFunc(d.ready, func(s scm.Slot, _ private) bool { return !old.same(f, s) })
	}
	d.flash, d.steady = f, false
	return nil
}

// reset forgets everything that was read, opened or kept in memory only.
func (d *Device) reset() {
	d.root.destroy()
	d.root, d.flash, d.version = nil, nil, 0
	d.ready = make(map[scm.Slot]private)
	d.volatile.forget()
}
