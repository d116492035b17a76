// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// volatileKeys are the keys that live in memory only. The zero value holds
// none. Slots are counted down and never given twice.
type volatileKeys struct {
	given int // how many slots were given so far
	keys  map[scm.Slot]volatileKey
}

type volatileKey struct {
	scm.Key
	private private
}

// add puts a key in a slot of its own.
func (v *volatileKeys) add(c scm.Curve, p private) scm.Key {
	k := scm.Key{Slot: scm.FirstVolatile - scm.Slot(v.given), Curve: c, Public: p.public()}
	v.given++
	if v.keys == nil {
		v.keys = make(map[scm.Slot]volatileKey)
	}
	v.keys[k.Slot] = volatileKey{k, p}
	return k
}

// key returns the key in the slot s, ErrSlotRange for a slot that was never
// given.
func (v *volatileKeys) key(s scm.Slot) (volatileKey, error) {
	k, ok := v.keys[s]
	switch {
	case ok:
		return k, nil
	case s <= scm.FirstVolatile-scm.Slot(v.given):
		return k, errRange(s)
	}
	return k, errEmpty(s)
}

// adopt puts a key into the slot that it has elsewhere, after which no slot up to it is
// given.
func (v *volatileKeys) adopt(k scm.Key, p private) error {
	if !k.Slot.Volatile() {
		return errRange(k.Slot)
	}
	if _, taken := v.keys[k.Slot]; taken {
		return fmt.Errorf("volatile slot %d: %w", k.Slot, scm.ErrSlotTaken)
	}
	if v.keys == nil {
		v.keys = make(map[scm.Slot]volatileKey)
	}
	v.keys[k.Slot] = volatileKey{k, p}
	v.given = max(v.given, int(scm.FirstVolatile-k.Slot)+1)
	return nil
}

// remove forgets the key if it is in its slot, and whatever is there if it has no
// public key.
func (v *volatileKeys) remove(k scm.Key) error {
	now, err := v.key(k.Slot)
	if err == nil && k.Public != nil && !bytes.Equal(now.Public, k.Public) {
		err = errEmpty(k.Slot)
	}
	if err == nil {
		delete(v.keys, k.Slot)
	}
	return err
}

func (v *volatileKeys) forget() { v.keys = nil }

// GenerateVolatile makes a key pair that lives until Close, Forget or the
// sealing of the device by another process.
func (d *Device) GenerateVolatile(c scm.Curve) (scm.Key, error) {
	secret := make([]byte, secretSize)
	defer clear(secret)
	p, err := generate(c, secret)
	if err != nil {
		return scm.Key{}, err
	}
	d.wait(d.options.Latency.Generate)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(); err != nil {
		return scm.Key{}, err
	}
	return clone(d.volatile.add(c, p)), nil
}

// VolatileSecret returns the private key in a volatile slot.
func (d *Device) VolatileSecret(s scm.Slot) ([]byte, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return nil, errClosed
	}
	k, err := d.volatile.key(s)
	if err != nil {
		return nil, err
	}
	return k.private.secret(), nil
}

// AdoptVolatile puts a key pair of another image of the device into its volatile slot.
func (d *Device) AdoptVolatile(k scm.Key, secret []byte) error {
	p, err := parse(k.Curve, secret)
	if err != nil {
		return err
	}
	if !bytes.Equal(p.public(), k.Public) {
		return fmt.Errorf("volatile slot %d: another key than its public half says: %w", k.Slot, scm.ErrInput)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(); err != nil {
		return err
	}
	return d.volatile.adopt(clone(k), p)
}

func (d *Device) removeVolatile(k scm.Key) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	return d.volatile.remove(k)
}

func (d *Device) volatileKey(s scm.Slot) (scm.Key, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return scm.Key{}, errClosed
	}
	k, err := d.volatile.key(s)
	return clone(k.Key), err
}
