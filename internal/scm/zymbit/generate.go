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
	before, err := d.listSlots()
	if err != nil {
		return scm.Key{}, err
	}
	marks, err := d.changes.marks()
	if err != nil {
		return scm.Key{}, err
	}
	d.firmwareNow()
	s, err := d.makeKey(c)
	if err != nil {
		s, err = d.madeAfter(before, marks, d.whyNot(before, err))
	}
	if err != nil {
		return scm.Key{}, err
	}
	d.forgetSlot(s)
	return d.newKey(s, c)
}

// madeAfter finds the key that was made although the call failed, as it does when the module
// takes longer than the library waits: the one that is new in the list, but for those of which
// other processes say that they are theirs. With more than one nobody knows, and all stay.
func (d *Device) madeAfter(before []scm.Slot, marks map[scm.Slot]int64, failure error) (scm.Slot, error) {
	after, err := d.listSlots()
	if err != nil {
		return 0, failure
	}
	noted, err := d.changes.marks()
	if err != nil {
		return 0, failure
	}
	fresh := slices.DeleteFunc(after, func(s scm.Slot) bool {
		return !s.User() || slices.Contains(before, s) || noted[s] != marks[s]
	})
	switch len(fresh) {
	case 0:
		return 0, failure
	case 1:
		return fresh[0], nil
	}
	return 0, fmt.Errorf("%w; one of the keys in the slots %v may be the one that was to be made: remove what no program has made", failure, fresh)
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
		return scm.Key{}, fmt.Errorf("the SCM says that it made a key in slot %d, which is not one from %d to %d; what it made is not used: %w",
			int(s), int(scm.FirstUser), int(scm.LastUser), scm.ErrDevice)
	}
	public, err := d.askKey(s, c)
	if err != nil {
		return scm.Key{}, errors.Join(fmt.Errorf("the new key in slot %d: %w", int(s), err), d.api.remove(s))
	}
	d.made[string(public)] = c
	d.changes.noteSlot(s)
	k := scm.Key{Slot: s, Curve: c, Public: public}
	d.rememberKey(k)
	return k, nil
}

// rememberKey remembers a new key, which nobody is to read anew.
func (d *Device) rememberKey(k scm.Key) {
	marks, err := d.changes.marks()
	if err != nil {
		return
	}
	d.mu.Lock()
	if d.known.slots == nil {
		d.known.slots = map[scm.Slot]slot{}
	}
	d.known.slots[k.Slot] = slot{key: k, mark: marks[k.Slot], seen: true}
	d.mu.Unlock()
	d.remember()
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
	if err := d.checkHeld(k); err != nil {
		return err
	}
	if err := d.checkRemovable(s); err != nil {
		return err
	}
	err := d.removed(s, d.api.remove(s))
	if unable(err) && d.checkHeld(k) == nil { // perhaps by a dead context
		err = d.removed(s, d.api.remove(s))
	}
	d.forgetSlot(s)
	d.changes.noteSlot(s)
	d.remember()
	return err
}

// checkRemovable returns an error for a key that may not be removed: one by which the host boots. Where
// the module does not tell the wallet of a key, for the lack of a wallet or of time, no key
// is removed as long as there is the wallet of the boot loader.
func (d *Device) checkRemovable(s scm.Slot) error {
	_, name, _, err := d.api.node(s)
	if err == nil && name != bootware || unable(err) {
		return nil
	}
	if timedOut(err) {
		if _, none := d.api.nodeSlot(top, bootware, 0); unable(none) {
			return nil
		} else if none != nil {
			return none
		}
	}
	return fmt.Errorf("slot %d belongs to the wallet %s: %w", s, bootware, scm.ErrPermanent)
}

// checkHeld returns an error unless a key is in its slot, or any key if it has no public key.
// The caller holds calls. Another process can still exchange the key before it is
// removed: the library has no call that would do both.
func (d *Device) checkHeld(k scm.Key) error {
	allocated, err := d.listSlots()
	if err != nil {
		return err
	}
	if !slices.Contains(allocated, k.Slot) {
		return errEmpty(k.Slot)
	}
	if k.Public == nil {
		return nil
	}
	public, err := d.asRead(k.Slot, k.Curve)
	if refused(err) {
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
	after, err := d.listSlots()
	if err == nil && !slices.Contains(after, s) {
		return nil
	}
	return fmt.Errorf("slot %d: %w", s, failure)
}
