// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	"libzk_pkcs11/internal/scm"
)

// slotAttributes are the attributes of one half of a key pair in a key slot,
// as they are when nobody gave it any.
func (t *token) slotAttributes(k scm.Key, h half) attributes {
	a := t.keyAttributes(k, h)
	a[CKA_TOKEN] = yes
	a[CKA_LABEL] = fmt.Appendf(nil, "SCM slot %d", k.Slot)
	a[CKA_ID] = defaultID(k)
	a[CKA_DESTROYABLE] = encodeBool(!k.Slot.Permanent())
	a[CKA_ZK_SLOT] = encodeULong(uint(k.Slot))
	a[CKA_UNIQUE_ID] = uniqueID(slotIdentity(k, h))
	switch {
	case isForeign(k.Slot):
		asForeign(a, k)
	case h == publicHalf:
		a[CKA_ZK_FOREIGN] = no
	}
	maps.Copy(a, t.nodes.nodeOfKey(k).attributes())
	return a
}

// keyAttributes are the attributes of one half of a key pair that the device
// made, wherever it lives.
func (t *token) keyAttributes(k scm.Key, h half) attributes {
	c, can := &curves[k.Curve], t.capability(k.Curve)
	r := ecPublicObject
	if h == privateHalf {
		r = ecPrivateObject
	}
	a := r.initial()
	a.addMissing(attributes{
		CKA_CLASS:           encodeULong(CKO_PUBLIC_KEY),
		CKA_KEY_TYPE:        encodeULong(c.keyType),
		CKA_EC_PARAMS:       c.encodeParams(),
		CKA_EC_POINT:        t.encodePoint(k),
		CKA_PUBLIC_KEY_INFO: c.publicKeyInfo(k.Public),
	})
	a[CKA_LOCAL] = yes
	a[CKA_KEY_GEN_MECHANISM] = encodeULong(c.generate)
	if h == privateHalf {
		a[CKA_CLASS] = encodeULong(CKO_PRIVATE_KEY)
		a[CKA_COPYABLE] = no // there is one of it
		a[CKA_SIGN] = encodeBool(can.Sign)
		a[CKA_DERIVE] = encodeBool(can.Agree)
	} else {
		a[CKA_VERIFY] = encodeBool(can.Sign)
	}
	return a
}

// encodePoint is the CKA_EC_POINT of a key as the settings want it.
func (t *token) encodePoint(k scm.Key) []byte {
	if t.slot.provider.options.ECPointRaw {
		return curves[k.Curve].barePoint(k.Public)
	}
	return curves[k.Curve].encodePoint(k.Public)
}

// leaveSlot takes out what only an object of a slot has.
func (a attributes) leaveSlot() {
	for _, t := range []uint{CKA_ZK_SLOT, CKA_ZK_FOREIGN, CKA_ZK_WALLET, CKA_ZK_NODE_ADDRESS} {
		delete(a, t)
	}
}

// capability is what the token's device can do with a curve.
func (t *token) capability(c scm.Curve) scm.Capability { return t.abilities().capability(c) }

func (m abilities) capability(c scm.Curve) scm.Capability {
	if d, ok := m.device.(scm.Capable); ok {
		return d.Capability(c)
	}
	_, agree := m.device.(scm.Agreer)
	return scm.Capability{Generate: true, Sign: c != scm.X25519, Agree: agree && c != scm.Ed25519}
}

// defaultID is the CKA_ID of a key pair that was given none: the number of a
// permanent slot, and for others, whose slots are used again, what names the
// key: SHA-1 of the public key, as in RFC 5280 section 4.2.1.2.
func defaultID(k scm.Key) []byte {
	if k.Slot.Permanent() {
		return []byte{byte(k.Slot)}
	}
	id := sha1.Sum(curves[k.Curve].rawPoint(k.Public))
	return id[:]
}

// uniqueID is the CKA_UNIQUE_ID of one half of a key pair: the same wherever
// and whenever it is looked at, different for every key and each of its names.
func uniqueID(id identity) []byte {
	hash := sha256.New()
	fmt.Fprintf(hash, "%d %t %x", id.slot, id.half == privateHalf, id.public)
	if id.name > 0 {
		fmt.Fprintf(hash, " %d", id.name)
	}
	return []byte(hex.EncodeToString(hash.Sum(nil)[:16]))
}

// storedAttributes is what the store keeps of the attributes of a key in a slot: what the
// device and the defaults do not tell.
func (o *object) storedAttributes() attributes {
	a := attributes{}
	for t, v := range o.attrs {
		if o.rules[t].is&ours != ours && !derived[t] {
			a[t] = v
		}
	}
	if o.id.half == privateHalf && !o.attrs.isTrue(CKA_ALWAYS_SENSITIVE) {
		a[CKA_ALWAYS_SENSITIVE] = no
	}
	return a
}

// derived are the attributes of a key in a slot that the device tells.
var derived = map[uint]bool{
	CKA_CLASS: true, CKA_KEY_TYPE: true, CKA_TOKEN: true, CKA_ZK_SLOT: true, CKA_ZK_FOREIGN: true,
	CKA_EC_POINT: true, CKA_PUBLIC_KEY_INFO: true,
}
