// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"libzk_pkcs11/internal/scm"
)

// foreignAgain is how long a module that does not list its foreign keys is not asked again.
const foreignAgain = time.Minute

// foreignKeys are those that were last read, at a version of the device.
type foreignKeys struct {
	version uint64
	known   bool
	failed  time.Time // when the module did not list them
	slots   map[scm.Slot]slot
	keys    []scm.Key // those of slots; nobody changes it
}

// Foreign lists the public keys of others.
func (d *Device) Foreign() ([]scm.Key, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	keys, err := d.foreignLocked()
	all := make([]scm.Key, len(keys))
	for i, k := range keys {
		all[i] = cloneKey(k)
	}
	return all, err
}

// ForeignSlots lists the foreign slots in use in ascending order, also those whose key
// the module does not show. It costs a call each time.
func (d *Device) ForeignSlots() ([]scm.Slot, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	return d.foreignNumbers()
}

// foreignLocked returns the foreign keys, from memory where nothing has changed.
// The caller holds calls.
func (d *Device) foreignLocked() ([]scm.Key, error) {
	if d.closed {
		return nil, errClosed
	}
	version := d.Version()
	if f := d.foreign; f.known && f.version == version || time.Since(f.failed) < foreignAgain {
		return f.keys, nil
	}
	marks, err := d.changes.marks()
	if err != nil {
		return nil, err
	}
	var slots map[scm.Slot]slot
	for t := d.newTries(); t.next(&err); {
		slots, err = d.readForeign(marks)
	}
	if unlisting(err) {
		return d.foreignUnlisted(err), nil
	}
	if err != nil {
		return nil, err
	}
	d.foreign = foreignKeys{version: version, known: true, slots: slots, keys: keysOf(slots)}
	d.remember()
	return d.foreign.keys, nil
}

// unlisting reports whether the module does not list its foreign keys, and is there to do
// other things.
func unlisting(err error) bool {
	return unable(err) || timedOut(err) && !errors.Is(err, scm.ErrAbsent)
}

// foreignUnlisted stands in for a list that the module does not give: it costs the foreign
// keys of other programs, and those that are known stay.
func (d *Device) foreignUnlisted(why error) []scm.Key {
	if !lacksFunction(why) {
		d.logWarning("the SCM does not list its foreign keys, so that those of other programs do not show: %v", why)
	}
	f := &d.foreign
	if f.slots == nil && !timedOut(why) {
		d.probeForeign()
	}
	f.failed, f.keys = time.Now(), keysOf(f.slots)
	return f.keys
}

// probeForeign looks for foreign keys in the slots in which they would be.
func (d *Device) probeForeign() {
	d.foreign.slots = map[scm.Slot]slot{}
	marks, err := d.changes.marks()
	if err != nil {
		return
	}
	found, _ := probeSlots(0, scm.ForeignSlots-1, d.api.foreignKey) // what is not found does not show
	for _, s := range found {
		if k, err := d.readForeignKey(s); err == nil {
			d.foreign.slots[s] = slot{key: k, mark: marks[-1-s], seen: true}
		}
	}
}

func (d *Device) readForeign(marks map[scm.Slot]int64) (map[scm.Slot]slot, error) {
	numbers, err := d.api.foreignSlots()
	if err != nil {
		return nil, err
	}
	slots, err := d.foreignKept(numbers, marks)
	if err != nil {
		return nil, err
	}
	hidden := 0
	var broken breakage
	for _, s := range numbers {
		mark := marks[-1-s]
		if s < 0 || s >= scm.ForeignSlots {
			continue
		}
		if known, ok := d.foreign.slots[s]; ok && known.mark == mark {
			slots[s] = known
			continue
		}
		k, err := d.readForeignKey(s)
		if isFatal(err) {
			return nil, err
		}
		now := slot{key: k, mark: mark, seen: true}
		if refused(err) {
			hidden++
		} else if err != nil {
			now.broken = err
			broken.addSlot(s, err)
		}
		slots[s] = now
	}
	broken.report(d, "foreign slots")
	if hidden > 0 { // by the module, or by a dead context, where this fails too
		return slots, d.checkAlive()
	}
	return slots, nil
}

// foreignKept are the slots with keys that are known, and there although no list has them:
// they are asked once.
func (d *Device) foreignKept(listed []scm.Slot, marks map[scm.Slot]int64) (map[scm.Slot]slot, error) {
	kept := map[scm.Slot]slot{}
	for n, s := range d.foreign.slots {
		if s.key.Public == nil || s.mark != marks[-1-n] || slices.Contains(listed, n) {
			continue
		}
		if !s.unlisted {
			_, err := d.api.foreignKey(n)
			if timedOut(err) {
				return nil, err
			}
			s.unlisted = !refused(err)
		}
		if s.unlisted {
			kept[n] = s
		}
	}
	return kept, nil
}

// readForeignKey reads a foreign key and finds out its curve.
func (d *Device) readForeignKey(s scm.Slot) (scm.Key, error) {
	shown, err := d.api.foreignKey(s)
	if refused(err) {
		return scm.Key{}, err
	}
	all := readings(shown)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("a public key of %d bytes %w", len(shown), errNoCurve)
	}
	if err != nil {
		return scm.Key{}, err
	}
	return d.foreignOf(s, all)
}

// foreignOf finds out which of its readings a foreign key is, which the library does not
// tell. Of a point that can be on two curves it takes P-256.
func (d *Device) foreignOf(s scm.Slot, all []scm.Key) (scm.Key, error) {
	for i := range all {
		all[i].Slot = s
		if c, ok := d.made[string(all[i].Public)]; ok && c == all[i].Curve {
			return all[i], nil
		}
	}
	k := all[0]
	if k.Curve != scm.Ed25519 || k.Public[31]&0x80 != 0 { // the highest bit of an X25519 key is never set
		return k, nil
	}
	var err error
	k.Curve, err = d.foreignCurve(s, k.Public)
	return k, err
}

// foreignCurve finds out which kind a foreign key of 32 bytes is.
func (d *Device) foreignCurve(s scm.Slot, public []byte) (scm.Curve, error) {
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
	decided, err := d.takesSignatures(s, d.api.verifyForeign)
	if err == nil && !decided {
		// The vendor does not say whether the module verifies with Ed25519 keys at all.
		// If it does not with one that surely is, its refusal says nothing of this key.
		if decided, err = d.takesSignatures(scm.FirstEd25519, d.api.verify); decided {
			c = scm.X25519
		}
	}
	if decided {
		d.made[string(public)] = c
	}
	return c, err
}

// takesSignatures reports whether the module takes signatures, if wrong ones, of a key.
func (d *Device) takesSignatures(s scm.Slot, verify func(s scm.Slot, digest, sig []byte) (bool, error)) (bool, error) {
	_, err := verify(s, make([]byte, digestSize), make([]byte, 64))
	if err == nil || timedOut(err) {
		return err == nil, err
	}
	return false, d.checkAlive() // a dead context refuses as well
}

// ForeignKey returns one of the public keys of others.
func (d *Device) ForeignKey(s scm.Slot) (scm.Key, error) {
	d.takeTurn()
	defer d.calls.Unlock()
	k, err := d.foreignIn(s)
	return cloneKey(k), err
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
	if i >= 0 {
		return keys[i], nil
	}
	switch there, ok := d.foreign.slots[s]; {
	case there.broken != nil:
		return scm.Key{}, fmt.Errorf("foreign slot %d: %w: %w", int(s), scm.ErrExport, there.broken)
	case ok:
		return scm.Key{}, errHidden(s)
	}
	return scm.Key{}, errEmpty(s)
}

// StoreForeign keeps a public key in a foreign slot that the module chooses.
func (d *Device) StoreForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	if c < scm.P256 || c > scm.X25519 {
		return 0, fmt.Errorf("curve %d: %w", int(c), scm.ErrCurve)
	}
	if !isPublic(c, public) {
		return 0, fmt.Errorf("no public key on %s: %w", c, scm.ErrInput)
	}
	if err := d.requireFunctions("zkStoreForeignPubKey"); err != nil {
		return 0, err
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
		s, err = d.storedAfter(before, public, err)
	}
	if err != nil {
		return 0, err
	}
	d.made[string(public)] = c
	d.noteForeign(s)
	d.keepForeign(scm.Key{Slot: s, Curve: c, Public: bytes.Clone(public)})
	return s, nil
}

// keepForeign remembers a new foreign key.
func (d *Device) keepForeign(k scm.Key) {
	marks, err := d.changes.marks()
	if err != nil {
		return
	}
	if d.foreign.slots == nil {
		d.foreign.slots = map[scm.Slot]slot{}
	}
	d.foreign.slots[k.Slot] = slot{key: k, mark: marks[-1-k.Slot], seen: true}
	d.remember()
}

// storedAfter finds a foreign key that was stored although the call failed.
func (d *Device) storedAfter(before []scm.Slot, public []byte, failure error) (scm.Slot, error) {
	after, err := d.foreignNumbers()
	if err != nil {
		return 0, failure
	}
	for _, s := range after {
		if slices.Contains(before, s) {
			continue
		}
		shown, err := d.api.foreignKey(s)
		if err == nil && slices.ContainsFunc(readings(shown), func(k scm.Key) bool { return bytes.Equal(k.Public, public) }) {
			return s, nil
		}
	}
	return 0, failure
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
	if err == nil {
		return nil
	}
	after, unlisted := d.foreignNumbers()
	if unlisted == nil && !slices.Contains(after, s) {
		return nil // it took longer than the library waits
	}
	if unable(err) { // perhaps by a dead context
		err = d.api.removeForeign(s)
	}
	return err
}

func (d *Device) foreignNumbers() (all []scm.Slot, err error) {
	for t := d.newTries(); t.next(&err); {
		all, err = d.api.foreignSlots()
	}
	if unlisting(err) { // a module that does not list them may still have those that are known
		return slices.Sorted(maps.Keys(d.foreign.slots)), nil
	}
	for n, s := range d.foreign.slots {
		if s.unlisted {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// noteForeign tells that a foreign slot was changed: among the changes the foreign
// slots have the numbers below 0.
func (d *Device) noteForeign(s scm.Slot) {
	delete(d.foreign.slots, s)
	d.foreign.failed = time.Time{}
	d.forgetSlot(-1 - s)
	d.changes.noteSlot(-1 - s)
	d.remember()
}
