// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
)

// place is where the key of an object is. An object has none when its attributes are all there is of it, as a
// certificate or a public key in the store. What can be done with a key where it is are abilities, found by
// assertion as those of a device: holder, remover, transient.
type place interface {
	// deviceKey returns the key as the device has it, nil for one that is not in the device.
	deviceKey() *scm.Key
}

// holder is a place in the device with a private key in it.
type holder interface {
	place
	pair() *heldKey
}

// remover is a place in the device whose key is a token object, and goes with that.
type remover interface {
	place
	// checkRemovable returns an error unless the key may go.
	checkRemovable(t *token) error
	// remove destroys the object of the key.
	remove(t *token, o *object) error
}

// transient is a place whose key goes with the session object of its private half.
type transient interface {
	place
	// erase makes the key go.
	erase(t *token)
	// secret returns what is secret of it, for forked children.
	secret(t *token) []byte
}

// heldKey is a key pair in the device.
type heldKey struct {
	scm.Key
	held atomic.Uint64 // the stamp of the key slot when the key was seen in it
}

func (k *heldKey) deviceKey() *scm.Key { return &k.Key }
func (k *heldKey) pair() *heldKey      { return k }

// slotKey is a key pair in a key slot.
type slotKey struct{ heldKey }

// volatileKey is a key pair in the device's volatile memory.
type volatileKey struct{ heldKey }

// foreignKey is a public key in a foreign slot.
type foreignKey struct{ scm.Key }

func (k *foreignKey) deviceKey() *scm.Key { return &k.Key }

// placeOf returns the place of a key of the device.
func placeOf(k scm.Key) place {
	switch {
	case isForeign(k.Slot):
		return &foreignKey{k}
	case k.Slot.Volatile():
		p := &volatileKey{heldKey{Key: k}}
		p.held.Store(never)
		return p
	}
	p := &slotKey{heldKey{Key: k}}
	p.held.Store(never)
	return p
}

// deviceKey returns the key of the device that an object is of, nil if there is none.
func (o *object) deviceKey() *scm.Key {
	if o.place == nil {
		return nil
	}
	return o.place.deviceKey()
}

// heldKey returns the key pair in the device that an object is of, nil if there is none.
func (o *object) heldKey() *heldKey {
	if h, in := o.place.(holder); in {
		return h.pair()
	}
	return nil
}

// isForeign reports whether an object is a public key in a foreign slot.
func (o *object) isForeign() bool {
	_, foreign := o.place.(*foreignKey)
	return foreign
}

func (k *slotKey) checkRemovable(t *token) error {
	if k.Slot.Permanent() {
		return CKR_ACTION_PROHIBITED
	}
	return t.checkRemovable(k.Slot)
}

func (k *slotKey) remove(t *token, o *object) error {
	if o.class() == CKO_PUBLIC_KEY {
		return t.hidePublicKey(o)
	}
	return t.removeKey(o)
}

func (k *foreignKey) checkRemovable(t *token) error    { return t.checkRemovable(k.Slot) }
func (k *foreignKey) remove(t *token, o *object) error { return t.removeForeign(o) }

func (k *volatileKey) erase(t *token) {
	t.warnIfFailed("erasing a session key", t.device.Remove(k.Key))
}

func (k *volatileKey) secret(t *token) []byte {
	device, can := t.device.(scm.Heritable)
	if !can {
		return nil
	}
	b, err := device.VolatileSecret(k.Slot)
	t.warnIfFailed("leaving a session key to children", err)
	return b
}

var (
	_ holder    = (*slotKey)(nil)
	_ remover   = (*slotKey)(nil)
	_ holder    = (*volatileKey)(nil)
	_ transient = (*volatileKey)(nil)
	_ remover   = (*foreignKey)(nil)
)
