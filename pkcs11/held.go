// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"

	"libzk_pkcs11/internal/scm"
)

// A signature asks the device alone whether a key slot still holds the key. What costs
// nothing is asked first: whether the slot may have changed since the key was seen in it.

// never is no stamp: that of a key that nobody has looked for in its slot yet.
const never = ^uint64(0)

// slotStamp is a number that changes whenever the key in a slot may have.
func (t *token) slotStamp(s scm.Slot) uint64 { return scm.StampOf(t.device, s) }

// checkAtHand returns an error unless a key can be used, and asks the device only when the key or the
// device may have changed.
func (t *token) checkAtHand(key *heldKey) error {
	if t.unchanged(key) {
		return nil
	}
	return t.checkPresent()
}

// unchanged reports whether a key is in its slot as surely as when it was seen there.
func (t *token) unchanged(key *heldKey) bool { return key.held.Load() == t.slotStamp(key.Slot) }

// stamps are those of all key slots.
type stamps [scm.LastUser + 1]uint64

// allStamps reads them. version is that of the device, which tells as much where it has none.
func (t *token) allStamps(version uint64) *stamps {
	all := new(stamps)
	d, can := t.device.(scm.Stamper)
	for s := range all {
		all[s] = version
		if can {
			all[s] = d.Stamp(scm.Slot(s))
		}
	}
	return all
}

// confirm notes when the keys of a catalog were in their slots. Stamps grow: one that is
// newer comes from a signature, and saves the next one a call of the device.
func (c *catalog) confirm(at *stamps) {
	for _, o := range c.objects {
		k := o.heldKey()
		if k == nil {
			continue
		}
		if held := k.held.Load(); held == never || held < at[k.Slot] {
			k.held.Store(at[k.Slot])
		}
	}
}

// checkStillHeld returns an error unless a key is what it was when the operation with it began: its
// slot may have been emptied, or filled anew, by another process. It is asked after the
// device has used the slot. A key that is gone comes back only from its wallet: where the
// stamp has changed, what the device has made is looked at besides.
func (t *token) checkStillHeld(key *heldKey) error {
	stamp := t.slotStamp(key.Slot)
	if key.held.Load() == stamp {
		return nil
	}
	k, err := t.device.PublicKey(key.Slot)
	switch {
	case isGone(err):
		return err
	case err != nil, !bytes.Equal(k.Public, key.Public):
		return CKR_FUNCTION_FAILED
	}
	key.held.Store(stamp)
	return nil
}
