// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// foreignKeys are those that were last read, at a version of the device.
type foreignKeys struct {
	version uint64
	known   bool
	keys    []scm.Key // nobody changes it
	hidden  []scm.Slot
}

// Foreign lists the public keys of others.
func (d *Device) Foreign() ([]scm.Key, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	keys, err := d.foreignLocked()
	all := make([]scm.Key, len(keys))
	for i, k := range keys {
		all[i] = clone(k)
	}
	return all, err
}

// ForeignSlots lists the foreign slots in use in ascending order, also those whose key
// the module does not show. It costs a call each time.
func (d *Device) ForeignSlots() ([]scm.Slot, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	all, err := d.foreignNumbers()
	slices.Sort(all)
	return all, err
}

// foreignLocked returns the foreign keys, from memory where nothing has changed.
// The caller holds calls.
func (d *Device) foreignLocked() ([]scm.Key, error) {
	if d.closed {
		return nil, errClosed
	}
	version := d.Version()
	if f := d.foreign; f.known && f.version == version {
		return f.keys, nil
	}
	var read foreignKeys
	err := d.retryLocked(func() (err error) {
		read, err = d.readForeign()
		return err
	})
	if err != nil {
		return nil, err
	}
	read.version, read.known = version, true
	d.foreign = read
	return read.keys, nil
}

func (d *Device) readForeign() (read foreignKeys, err error) {
	numbers, err := d.api.foreignSlots()
	if err != nil {
		return read, err
	}
	for _, s := range numbers {
		public, err := d.api.foreignKey(s)
		if timedOut(err) {
			return read, err
		}
		if err != nil {
			read.hidden = append(read.hidden, s)
			continue
		}
		switch c, err := d.foreignCurve(s, public); {
		case refused(err):
			return read, err
		case err == nil:
			read.keys = append(read.keys, scm.Key{Slot: s, Curve: c, Public: public})
		}
	}
	slices.SortFunc(read.keys, func(a, b scm.Key) int { return int(a.Slot - b.Slot) })
	if read.hidden != nil { // by the module, or by a dead context, where this fails too
		_, err = d.api.foreignSlots()
	}
	return read, err
}

// foreignCurve finds out the curve of a foreign key, which the library does not tell.
func (d *Device) foreignCurve(s scm.Slot, public []byte) (scm.Curve, error) {
	if c, ok := d.made[string(public)]; ok {
		return c, nil
	}
	i := slices.IndexFunc(scm.Curves[:], func(c scm.Curve) bool { return isPublic(c, public) })
	if i < 0 {
		return 0, fmt.Errorf("foreign slot %d: public key of %d bytes is on no known curve: %w", s, len(public), scm.ErrDevice)
	}
	c := scm.Curves[i]
	if c != scm.Ed25519 || public[31]&0x80 != 0 { // the highest bit of an X25519 key is never set
		return c, nil
	}
	switch d.options.Foreign25519 {
	case Foreign25519Ed25519:
		return scm.Ed25519, nil
	case Foreign25519X25519:
		return scm.X25519, nil
	}
	return d.askCurve(s, public)
}

// askCurve asks the module for the curve of a foreign key that can be on either.
func (d *Device) askCurve(s scm.Slot, public []byte) (scm.Curve, error) {
	c := scm.Ed25519
	decided, err := d.verifies(s, true)
	if err == nil && !decided {
		// The vendor does not say whether the module verifies with Ed25519 keys at all.
		// If it does not with one that surely is, its refusal says nothing of this key.
		if decided, err = d.verifies(scm.FirstEd25519, false); decided {
			c = scm.X25519
		}
	}
	if decided {
		d.made[string(public)] = c
	}
	return c, err
}

// verifies tells whether the module takes signatures, if wrong ones, of a key.
func (d *Device) verifies(s scm.Slot, foreign bool) (bool, error) {
	_, err := d.api.verify(s, foreign, make([]byte, digestSize), make([]byte, 64))
	if err == nil || timedOut(err) {
		return err == nil, err
	}
	_, err = d.api.slots() // a dead context refuses as well
	return false, err
}

// ForeignKey returns one of the public keys of others.
func (d *Device) ForeignKey(s scm.Slot) (scm.Key, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	k, err := d.foreignIn(s)
	return clone(k), err
}

func (d *Device) foreignIn(s scm.Slot) (scm.Key, error) {
	if s < 0 || s >= scm.ForeignSlots {
		return scm.Key{}, errRange(s)
	}
	keys, err := d.foreignLocked()
	if err != nil {
		return scm.Key{}, err
	}
	i := slices.IndexFunc(keys, func(k scm.Key) bool { return k.Slot == s })
	if i < 0 && slices.Contains(d.foreign.hidden, s) {
		return scm.Key{}, errHidden(s)
	}
	if i < 0 {
		return scm.Key{}, errEmpty(s)
	}
	return keys[i], nil
}

// StoreForeign keeps a public key in a foreign slot that the module chooses.
func (d *Device) StoreForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	if c < scm.P256 || c > scm.X25519 {
		return 0, fmt.Errorf("curve %d: %w", int(c), scm.ErrCurve)
	}
	if !isPublic(c, public) {
		return 0, fmt.Errorf("no public key on %s: %w", c, scm.ErrInput)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	before, err := d.foreignNumbers() // which finds a dead context, as in Generate
	if err != nil {
		return 0, err
	}
	if len(before) >= scm.ForeignSlots {
		return 0, fmt.Errorf("all %d foreign slots hold keys: %w", len(before), scm.ErrFull)
	}
	s, err := d.api.storeForeign(c, public)
	if err != nil {
		return 0, err
	}
	d.made[string(public)] = c
	d.noteForeign(s)
	return s, nil
}

// RemoveForeign erases one of the public keys of others.
func (d *Device) RemoveForeign(s scm.Slot) error {
	if s < 0 || s >= scm.ForeignSlots {
		return errRange(s)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	before, err := d.foreignNumbers()
	if err != nil {
		return err
	}
	if !slices.Contains(before, s) {
		return errEmpty(s)
	}
	err = d.api.removeForeign(s)
	d.noteForeign(s)
	return err
}

func (d *Device) foreignNumbers() (all []scm.Slot, err error) {
	err = d.retryLocked(func() error {
		all, err = d.api.foreignSlots()
		return err
	})
	return all, err
}

// noteForeign tells that a foreign slot was changed: among the changes the foreign
// slots have the numbers below 0.
func (d *Device) noteForeign(s scm.Slot) {
	d.forgetSlot(-1 - s)
	d.changes.note(-1 - s)
}
