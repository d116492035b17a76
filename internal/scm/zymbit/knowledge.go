// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"fmt"
	"slices"
	"time"

	"libzk_pkcs11/internal/scm"
)

// knowledge is what was last read of the key slots.
type knowledge struct {
	version uint64    // of Device.Version
	changes uint64    // version of the changes that are known
	read    time.Time // when
	stale   bool      // something may have changed since
	slots   map[scm.Slot]slot
	keys    []scm.Key // those of slots, in ascending order; nobody changes it
}

// slot is an allocated key slot.
type slot struct {
	key  scm.Key // Public is nil for a key that the module does not show
	mark int64   // the slot's number in changes when it was read
}

// Version changes when a device with the same Options.State has changed a key
// slot, and when Options.Refresh has passed, since others may have then.
func (d *Device) Version() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := &d.known
	if now := d.changes.version(); now != k.changes {
		k.changes, k.stale = now, true
		k.version++
	}
	if !k.stale && time.Since(k.read) >= d.options.Refresh {
		k.stale = true
		k.version++
	}
	return k.version
}

// forget makes the next call read all key slots anew.
func (d *Device) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known.slots, d.known.keys, d.known.stale = nil, nil, true
	d.known.version++
}

// forgetSlot makes the next call read one key slot anew.
func (d *Device) forgetSlot(s scm.Slot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known.slots, s)
	d.known.stale = true
	d.known.version++
}

// current returns the keys of the module, from memory where they are known.
func (d *Device) current() ([]scm.Key, error) {
	if keys, ok := d.remembered(); ok {
		return keys, nil
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if keys, ok := d.remembered(); ok { // by whoever held calls before
		return keys, nil
	}
	err := d.retryLocked(d.read)
	keys, _ := d.remembered()
	return keys, err
}

func (d *Device) remembered() (keys []scm.Key, ok bool) {
	d.Version()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known.keys, !d.known.stale && d.known.slots != nil
}

// read asks the module for its key slots, and for the public keys of those that
// are new or were changed. The caller holds calls.
func (d *Device) read() error {
	began := time.Now()
	version := d.changes.version()
	marks, err := d.changes.marks()
	if err != nil {
		return err
	}
	numbers, err := d.api.slots()
	if err != nil {
		return err
	}
	slots, err := d.readSlots(numbers, marks)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known.slots, d.known.keys = slots, keysOf(slots)
	d.known.changes, d.known.read, d.known.stale = version, began, false
	return nil
}

func (d *Device) readSlots(numbers []scm.Slot, marks map[scm.Slot]int64) (map[scm.Slot]slot, error) {
	slots := make(map[scm.Slot]slot, len(numbers))
	hidden := 0
	for _, n := range numbers {
		if !n.Permanent() && !n.User() {
			continue // of a module that has more than this package knows
		}
		if known, ok := d.slot(n); ok && known.mark == marks[n] {
			slots[n] = known
			continue
		}
		key, err := d.readKey(n)
		if timedOut(err) {
			return nil, err
		}
		if err != nil {
			hidden++
		}
		slots[n] = slot{key, marks[n]}
	}
	if hidden == 0 {
		return slots, nil
	}
	// Some keys are not shown: the module may refuse for a reason of theirs. If
	// the context is dead this fails, too.
	_, err := d.api.slots()
	return slots, err
}

// slot returns what is known of a slot whose key is known.
func (d *Device) slot(n scm.Slot) (slot, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.known.slots[n]
	return s, ok && s.key.Public != nil
}

func keysOf(slots map[scm.Slot]slot) []scm.Key {
	keys := make([]scm.Key, 0, len(slots))
	for _, s := range slots {
		if s.key.Public != nil {
			keys = append(keys, s.key)
		}
	}
	slices.SortFunc(keys, func(a, b scm.Key) int { return int(a.Slot - b.Slot) })
	return keys
}

// Keys lists the key slots whose public keys the module shows.
func (d *Device) Keys() ([]scm.Key, error) {
	keys, err := d.current()
	if err != nil {
		return nil, err
	}
	all := make([]scm.Key, len(keys))
	for i, k := range keys {
		all[i] = clone(k)
	}
	return all, nil
}

// Slots lists the allocated permanent and user slots in ascending order, also those
// whose public key the module does not show. It costs a call each time.
func (d *Device) Slots() ([]scm.Slot, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	all, err := d.slots()
	all = slices.DeleteFunc(all, func(s scm.Slot) bool { return !s.Permanent() && !s.User() })
	slices.Sort(all)
	return all, err
}

// PublicKey returns the key in a slot.
func (d *Device) PublicKey(s scm.Slot) (scm.Key, error) {
	k, err := d.key(s)
	return clone(k), err
}

// key is PublicKey without a copy.
func (d *Device) key(s scm.Slot) (scm.Key, error) {
	if !s.Permanent() && !s.User() {
		return scm.Key{}, errRange(s)
	}
	keys, err := d.current()
	if err != nil {
		return scm.Key{}, fmt.Errorf("slot %d: %w", s, err)
	}
	i, ok := slices.BinarySearchFunc(keys, s, func(k scm.Key, s scm.Slot) int { return int(k.Slot - s) })
	if !ok && d.hides(s) {
		return scm.Key{}, errHidden(s)
	}
	if !ok {
		return scm.Key{}, errEmpty(s)
	}
	return keys[i], nil
}

// hides tells whether a slot holds a key that the module does not show.
func (d *Device) hides(s scm.Slot) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, allocated := d.known.slots[s]
	return allocated
}

func clone(k scm.Key) scm.Key {
	k.Public = slices.Clone(k.Public)
	return k
}
