// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// volatileKeys are the keys that live in memory only. The zero value holds
// none. Slots are counted down and never given twice.
type volatileKeys struct {
	mu     sync.RWMutex // held for a moment
	over   bool         // others have taken the place of these
	given  int          // how many slots were given so far
	placed uint64       // how many keys were put into slots so far
	keys   map[scm.Slot]volatileKey
	mask   *secret.Mask // of the keys; nil before the first
}

type volatileKey struct {
	scm.Key
	private *private
	number  uint64 // of the key among all that were put into slots
}

// errOver says that the keys were given up before another came to them.
var errOver = errors.New("volatile keys are given up")

// addKey puts a key in a slot of its own.
func (v *volatileKeys) addKey(c scm.Curve, public, key []byte) (scm.Key, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := scm.Key{Slot: scm.FirstVolatile - scm.Slot(v.given), Curve: c, Public: public}
	return k, v.putKey(k, key)
}

// adoptKey puts a key into the slot that it has elsewhere, after which no slot up to it is
// given.
func (v *volatileKeys) adoptKey(k scm.Key, key []byte) error {
	if !k.Slot.Volatile() {
		return errRange(k.Slot)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, taken := v.keys[k.Slot]; taken {
		return fmt.Errorf("volatile slot %d: %w", k.Slot, scm.ErrSlotTaken)
	}
	return v.putKey(k, key)
}

// putKey puts a private key into its slot, which is empty, and keeps it masked. The caller
// holds mu.
func (v *volatileKeys) putKey(k scm.Key, key []byte) error {
	if v.over {
		return errOver
	}
	if v.keys == nil {
		v.keys, v.mask = make(map[scm.Slot]volatileKey), secret.NewMask()
	}
	v.placed++
	v.keys[k.Slot] = volatileKey{k, newPrivate(k.Curve, k.Public, key, v.mask), v.placed}
	v.given = max(v.given, int(scm.FirstVolatile-k.Slot)+1)
	return nil
}

// keyIn returns the key in the slot s, ErrSlotRange for a slot that was never
// given.
func (v *volatileKeys) keyIn(s scm.Slot) (volatileKey, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.findKey(s)
}

// findKey is key for a caller that holds mu.
func (v *volatileKeys) findKey(s scm.Slot) (volatileKey, error) {
	k, ok := v.keys[s]
	switch {
	case ok:
		return k, nil
	case s <= scm.FirstVolatile-scm.Slot(v.given):
		return k, errRange(s)
	}
	return k, errEmpty(s)
}

// number returns the number of the key in the slot s, and reports whether there is one.
func (v *volatileKeys) number(s scm.Slot) (n uint64, there bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	k, there := v.keys[s]
	return k.number, there
}

// remove forgets the key if it is in its slot, and whatever is there if it has no
// public key.
func (v *volatileKeys) remove(k scm.Key) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, err := v.findKey(k.Slot)
	if err == nil && k.Public != nil && !bytes.Equal(now.Public, k.Public) {
		err = errEmpty(k.Slot)
	}
	if err == nil {
		delete(v.keys, k.Slot)
	}
	return err
}

// giveUp gives up all keys, and returns what takes the place of v.
func (v *volatileKeys) giveUp() *volatileKeys {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mask.Destroy()
	v.keys, v.over = nil, true
	return &volatileKeys{given: v.given, placed: v.placed}
}

// GenerateVolatile makes a key pair that lives until Close, Forget or the
// sealing of the device by another process.
func (d *Device) GenerateVolatile(c scm.Curve) (scm.Key, error) {
	key := make([]byte, secretSize)
	defer clear(key)
	public, err := generate(c, key)
	if err != nil {
		return scm.Key{}, err
	}
	d.waitLatency(d.options.Latency.Generate)
	var k scm.Key
	err = d.withVolatile(func(v *volatileKeys) (err error) {
		k, err = v.addKey(c, public, key)
		return err
	})
	return cloneKey(k), err
}

// withVolatile calls f with the volatile keys of an open device, again when they were
// given up before it came to them.
func (d *Device) withVolatile(f func(*volatileKeys) error) error {
	for {
		s, err := d.usable()
		if err != nil {
			return err
		}
		if err := f(s.volatile); err != errOver {
			return err
		}
	}
}

// VolatileSecret returns the private key in a volatile slot, which the caller overwrites.
func (d *Device) VolatileSecret(s scm.Slot) ([]byte, error) {
	k, err := d.volatileIn(s)
	if err != nil {
		return nil, err
	}
	return k.private.secret()
}

// AdoptVolatile puts a key pair of another image of the device into its volatile slot.
func (d *Device) AdoptVolatile(k scm.Key, key []byte) error {
	public, err := publicOf(k.Curve, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(public, k.Public) {
		return fmt.Errorf("volatile slot %d: another key than its public half says: %w", k.Slot, scm.ErrInput)
	}
	return d.withVolatile(func(v *volatileKeys) error { return v.adoptKey(cloneKey(k), key) })
}

func (d *Device) removeVolatile(k scm.Key) error {
	s := d.known.Load()
	if s.closed {
		return errClosed
	}
	return s.volatile.remove(k)
}

func (d *Device) volatileKey(s scm.Slot) (scm.Key, error) {
	k, err := d.volatileIn(s)
	return cloneKey(k.Key), err
}

// volatileIn returns what is in a volatile slot, whether the device is open or not.
func (d *Device) volatileIn(slot scm.Slot) (volatileKey, error) {
	s := d.known.Load()
	if s.closed {
		return volatileKey{}, errClosed
	}
	return s.volatile.keyIn(slot)
}
