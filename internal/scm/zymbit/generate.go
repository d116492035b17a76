// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// bootware is the wallet of the vendor's boot loader.
const bootware = "bootware"

// Generate makes a key pair in a user slot that the module chooses.
func (d *Device) Generate(c scm.Curve) (scm.Key, error) {
	if c < scm.P256 || c > scm.X25519 || !d.Capability(c).Generate {
		return scm.Key{}, fmt.Errorf("a new key on curve %d: %w", int(c), scm.ErrCurve)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	// This shows, too, that the context lives: what makes a key must not be
	// done a second time after a failure.
	before, err := d.slots()
	if err != nil {
		return scm.Key{}, err
	}
	s, err := d.makeKey(c)
	if err != nil {
		return scm.Key{}, d.whyNot(before, err)
	}
	d.forgetSlot(s)
	return d.newKey(s, c)
}

// slots lists the allocated key slots. The caller holds calls.
func (d *Device) slots() (all []scm.Slot, err error) {
	err = d.retryLocked(func() error {
		all, err = d.api.slots()
		return err
	})
	return all, err
}

func (d *Device) makeKey(c scm.Curve) (scm.Slot, error) {
	if d.inWallet() {
		return d.makeChild(c)
	}
	return d.api.generate(c)
}

// whyNot tells a full module from other reasons why it made no key.
func (d *Device) whyNot(slots []scm.Slot, err error) error {
	user := 0
	for _, s := range slots {
		if s.User() {
			user++
		}
	}
	if user >= scm.UserSlots {
		return fmt.Errorf("all %d user slots hold keys: %w: %w", user, scm.ErrFull, err)
	}
	return err
}

// newKey checks and returns the key that was made in a slot, and tells others.
func (d *Device) newKey(s scm.Slot, c scm.Curve) (scm.Key, error) {
	if !s.User() {
		return scm.Key{}, fmt.Errorf("the SCM says that it made a key in slot %d: %w", s, scm.ErrDevice)
	}
	var public []byte
	err := d.retryLocked(func() (err error) {
		public, err = d.api.publicKey(s)
		return err
	})
	if err == nil && len(public) != c.PublicSize() {
		err = fmt.Errorf("public key of %d bytes on %s: %w", len(public), c, scm.ErrDevice)
	}
	if err != nil {
		return scm.Key{}, errors.Join(err, d.api.remove(s))
	}
	d.made[string(public)] = c
	d.changes.note(s)
	return scm.Key{Slot: s, Curve: c, Public: public}, nil
}

// Remove erases the key pair of a user slot. ErrPermanent also for the keys of
// the vendor's boot loader.
func (d *Device) Remove(k scm.Key) error {
	s := k.Slot
	if s.Permanent() {
		return fmt.Errorf("slot %d: %w", s, scm.ErrPermanent)
	}
	if !s.User() {
		return errRange(s)
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if err := d.holds(k); err != nil {
		return err
	}
	if _, name, _, err := d.api.node(s); err == nil && name == bootware {
		return fmt.Errorf("slot %d belongs to the wallet %s: %w", s, bootware, scm.ErrPermanent)
	}
	err := d.api.remove(s)
	d.forgetSlot(s)
	d.changes.note(s)
	return d.removed(s, err)
}

// holds answers whether a key is in its slot, or any key if it has no public key.
// The caller holds calls. Another process can still exchange the key before it is
// removed: the library has no call that would do both.
func (d *Device) holds(k scm.Key) error {
	allocated, err := d.slots()
	if err != nil {
		return err
	}
	if !slices.Contains(allocated, k.Slot) {
		return errEmpty(k.Slot)
	}
	if k.Public == nil {
		return nil
	}
	public, err := d.api.publicKey(k.Slot)
	if err != nil {
		return fmt.Errorf("slot %d: %w", k.Slot, err)
	}
	if !bytes.Equal(public, k.Public) {
		d.forgetSlot(k.Slot)
		return errEmpty(k.Slot)
	}
	return nil
}

// removed makes of a failure to remove a key a success when the key is gone: a
// removal can take longer than the library waits.
func (d *Device) removed(s scm.Slot, failure error) error {
	if failure == nil {
		return nil
	}
	after, err := d.slots()
	if err == nil && !slices.Contains(after, s) {
		return nil
	}
	return fmt.Errorf("slot %d: %w", s, failure)
}
