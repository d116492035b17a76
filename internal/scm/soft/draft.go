// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/board"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// draft is a key pair that is in no slot yet, sealed under no root key.
type draft struct {
	device *Device
	root   *root // under which it will be
	curve  scm.Curve
	public []byte
	secret []byte
}

// Draft makes a key pair that is in no slot.
func (d *Device) Draft(c scm.Curve) (scm.Draft, error) {
	k, err := d.newDraft(c)
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (d *Device) newDraft(c scm.Curve) (*draft, error) {
	d.waitLatency(d.options.Latency.Generate)
	r, err := d.unsealed()
	if err == nil {
		err = d.faultOn(board.GenerateCall)
	}
	if err != nil {
		return nil, err
	}
	secret := make([]byte, secretSize)
	public, err := generate(c, secret)
	if err != nil {
		return nil, err
	}
	return &draft{device: d, root: r, curve: c, public: public, secret: secret}, nil
}

// Public returns the public key.
func (k *draft) Public() []byte { return k.public }

// Discard overwrites the private key.
func (k *draft) Discard() { clear(k.secret) }

// Place stores the key pair in a user slot.
func (k *draft) Place(s scm.Slot) (scm.Key, error) {
	if !s.Permanent() && !k.device.offers(s) {
		return scm.Key{}, errRange(s)
	}
	return k.placeIn(func(tx *sql.Tx) (scm.Slot, error) {
		taken, err := slotHolds(tx, s)
		if taken {
			err = fmt.Errorf("slot %d: %w", s, scm.ErrSlotTaken)
		}
		return s, err
	})
}

// placeIn stores the key pair in the slot that choose returns.
func (k *draft) placeIn(choose func(*sql.Tx) (scm.Slot, error)) (scm.Key, error) {
	key := &sealedKey{Key: scm.Key{Curve: k.curve, Public: k.public}}
	err := k.device.transact(func(tx *sql.Tx, e *effect) (err error) {
		if err := e.sealedUnder(tx, k.root); err != nil {
			return err
		}
		if key.Slot, err = choose(tx); err != nil {
			return err
		}
		e.holdKey(key.Slot, key)
		return writeKey(tx, k.root, key, k.secret)
	})
	if err != nil {
		return scm.Key{}, err
	}
	return cloneKey(key.Key), nil
}

// offers reports whether the device has a user slot.
func (d *Device) offers(s scm.Slot) bool {
	return s.User() && int(s-scm.FirstUser) < d.options.UserSlots
}

// Free returns the free user slot that the next new key would get among those wanted.
func (d *Device) Free(wanted func(scm.Slot) bool) (scm.Slot, error) {
	s, err := d.current(everySlot)
	if err != nil {
		return 0, err
	}
	first := scm.FirstUser
	if d.options.Allocation == settings.AllocateNext {
		first = s.afterLast()
	}
	end := scm.FirstUser + scm.Slot(d.options.UserSlots)
	for _, some := range []span{{first, end}, {scm.FirstUser, min(first, end)}} {
		for i := some.first; i < some.end; i++ {
			if s.cells[i].key == nil && wanted(i) {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("no other user slot is free: %w", scm.ErrFull)
}

// afterLast returns the user slot after the last one that holds a key.
func (f *flash) afterLast() scm.Slot {
	for s := scm.LastUser; s >= scm.FirstUser; s-- {
		if f.cells[s].key != nil {
			return s + 1
		}
	}
	return scm.FirstUser
}
