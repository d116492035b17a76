// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// Keys lists the keys in the permanent and user slots.
func (d *Device) Keys() ([]scm.Key, error) {
	s, err := d.current(everySlot)
	if err != nil {
		return nil, err
	}
	all := s.allKeys()
	keys := make([]scm.Key, 0, len(all))
	for _, k := range all {
		if k.Slot >= 0 && !k.hidden {
			keys = append(keys, cloneKey(k.Key))
		}
	}
	return keys, nil
}

// Slots lists the allocated permanent and user slots in ascending order, also
// those whose public key is not given away.
func (d *Device) Slots() ([]scm.Slot, error) {
	s, err := d.current(everySlot)
	if err != nil {
		return nil, err
	}
	all := s.allKeys()
	slots := make([]scm.Slot, 0, len(all))
	for _, k := range all {
		if k.Slot >= 0 {
			slots = append(slots, k.Slot)
		}
	}
	return slots, nil
}

// Listed lists the slots that the vendor's interface tells: all of Slots, unless the
// settings leave some out.
func (d *Device) Listed() ([]scm.Slot, error) {
	s, err := d.current(everySlot)
	if err != nil {
		return nil, err
	}
	out := d.options.Unlisted
	var slots []scm.Slot
	for _, k := range s.allKeys() {
		seed := k.kind.isSeed() && (out == settings.UnlistedSeeds || out == settings.UnlistedBoth)
		permanent := k.Slot.Permanent() && k.Curve == scm.Ed25519 && (out == settings.UnlistedEd25519 || out == settings.UnlistedBoth)
		if k.Slot >= 0 && !seed && !permanent {
			slots = append(slots, k.Slot)
		}
	}
	return slots, nil
}

// PublicKey returns the key in a slot of any kind.
func (d *Device) PublicKey(s scm.Slot) (scm.Key, error) {
	if s.Volatile() {
		return d.volatileKey(s)
	}
	known, err := d.current(onlySlot(s))
	if err != nil {
		return scm.Key{}, err
	}
	k, err := known.keyIn(s)
	if err != nil {
		return scm.Key{}, d.missing(known, s, err)
	}
	if k.hidden {
		return scm.Key{}, errHidden(s)
	}
	return cloneKey(k.Key), nil
}

func cloneKey(k scm.Key) scm.Key {
	k.Public = slices.Clone(k.Public)
	return k
}

// Generate makes a key pair in the lowest free user slot.
func (d *Device) Generate(c scm.Curve) (scm.Key, error) { return d.create(c, d.freeSlot) }

// create makes a key pair in the slot that choose returns.
func (d *Device) create(c scm.Curve, choose func(*sql.Tx) (scm.Slot, error)) (scm.Key, error) {
	k, err := d.newDraft(c)
	if err != nil {
		return scm.Key{}, err
	}
	defer k.Discard()
	return k.placeIn(choose)
}

// Remove erases the key pair of a user or volatile slot, and of a permanent one where
// the settings let it.
func (d *Device) Remove(k scm.Key) error {
	switch s := k.Slot; {
	case s.Permanent() && !d.options.PermanentRemovable:
		return fmt.Errorf("slot %d: %w", s, scm.ErrPermanent)
	case s.Volatile():
		return d.removeVolatile(k)
	case !s.User() && !s.Permanent():
		return errRange(s)
	}
	return d.eraseKeys(k)
}

// eraseKeys erases the key in a slot and what was derived from it.
func (d *Device) eraseKeys(k scm.Key) error {
	if _, err := d.current(); err != nil {
		return err
	}
	var erased []scm.Slot
	err := d.expunge(func(tx *sql.Tx, e *effect) (err error) {
		erased, err = eraseKey(tx, k)
		for _, s := range erased {
			e.holdKey(s, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(erased) > slowRemoval && d.options.Has(settings.DefectSlowRemoval) {
		return fmt.Errorf("slot %d and %d keys derived from it: %w", k.Slot, len(erased)-1, scm.ErrTimeout)
	}
	return nil
}

// slowRemoval is how many derived keys it takes for settings.DefectSlowRemoval.
const slowRemoval = 20
