// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"

	"libzk_pkcs11/internal/scm"
)

// keySort is a sort of keys that mechanisms work with.
type keySort struct {
	types  []uint // CKK_
	secret bool   // they are secret keys
	sealed span   // the sizes of those that can be sealed
	flags  uint   // that a mechanism of such keys has in its CK_MECHANISM_INFO besides
}

const (
	curveFlags      = CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME | CKF_EC_COMPRESS
	primeCurveFlags = curveFlags | CKF_EC_UNCOMPRESS // points of the other curves have one form, which is short
)

// The sorts of keys.
var (
	ecKeys         = &keySort{types: []uint{CKK_EC}, sealed: span{224, 521}, flags: primeCurveFlags}
	edwardsKeys    = &keySort{types: []uint{CKK_EC_EDWARDS}, sealed: span{255, 256}, flags: curveFlags}
	montgomeryKeys = &keySort{types: []uint{CKK_EC_MONTGOMERY}, sealed: span{255, 256}, flags: curveFlags}
	rsaKeys        = &keySort{types: []uint{CKK_RSA}, sealed: span{2048, 4096}}
	mldsaKeys      = &keySort{types: []uint{CKK_ML_DSA}, sealed: span{1312, 2592}} // of public keys in bytes
	mlkemKeys      = &keySort{types: []uint{CKK_ML_KEM}, sealed: span{1184, 1568}}
	aesKeys        = &keySort{types: []uint{CKK_AES}, secret: true, sealed: span{16, 32}} // in bytes
	agreeingKeys   = &keySort{types: []uint{CKK_EC, CKK_EC_MONTGOMERY}, sealed: span{224, 521}, flags: primeCurveFlags}
)

// The secrets for HMAC, by their hash.
var (
	genericKeys   = &keySort{types: []uint{CKK_GENERIC_SECRET}, secret: true, sealed: span{8, 8 << 16}}
	sha1Keys      = hmacKeys(CKK_SHA_1_HMAC)
	sha224Keys    = hmacKeys(CKK_SHA224_HMAC)
	sha256Keys    = hmacKeys(CKK_SHA256_HMAC)
	sha384Keys    = hmacKeys(CKK_SHA384_HMAC)
	sha512Keys    = hmacKeys(CKK_SHA512_HMAC)
	sha512224Keys = hmacKeys(CKK_SHA512_224_HMAC)
	sha512256Keys = hmacKeys(CKK_SHA512_256_HMAC)
	sha3224Keys   = hmacKeys(CKK_SHA3_224_HMAC)
	sha3256Keys   = hmacKeys(CKK_SHA3_256_HMAC)
	sha3384Keys   = hmacKeys(CKK_SHA3_384_HMAC)
	sha3512Keys   = hmacKeys(CKK_SHA3_512_HMAC)
)

// hmacKeys is the sort of keys for HMAC with one hash: those for it alone, and generic secrets.
func hmacKeys(keyType uint) *keySort {
	return &keySort{types: []uint{keyType, CKK_GENERIC_SECRET}, secret: true, sealed: span{1, 1 << 16}} // in bytes
}

// isSecretType reports whether keys of a type are bytes that codes are made with.
func isSecretType(keyType uint) bool {
	switch keyType {
	case CKK_GENERIC_SECRET, CKK_SHA_1_HMAC, CKK_SHA224_HMAC, CKK_SHA256_HMAC, CKK_SHA384_HMAC, CKK_SHA512_HMAC, CKK_SHA512_224_HMAC, CKK_SHA512_256_HMAC,
		CKK_SHA3_224_HMAC, CKK_SHA3_256_HMAC, CKK_SHA3_384_HMAC, CKK_SHA3_512_HMAC:
		return true
	}
	return false
}

// include reports whether keys of a type are of the sort.
func (k *keySort) include(keyType uint) bool { return k != nil && slices.Contains(k.types, keyType) }

// classOr returns the class of secret keys, or for another sort that of the half of a pair.
func (k *keySort) classOr(half uint) uint {
	if k.secret {
		return CKO_SECRET_KEY
	}
	return half
}

// span is a range of key sizes. The zero value is none.
type span struct{ least, most uint }

// join returns the range that reaches over both.
func (s span) join(other span) span {
	switch {
	case s == span{}:
		return other
	case other == span{}:
		return s
	}
	return span{min(s.least, other.least), max(s.most, other.most)}
}

// info describes a mechanism of such keys that is for these functions, if the token has any of them.
func (k *keySort) info(m abilities, functions uint) (MechanismInfo, error) {
	sizes, can := k.deviceSizes(m, functions)
	inDevice := can != 0
	if m.sealsKeys() && k.sealed != (span{}) {
		sizes, can = sizes.join(k.sealed), functions
	}
	if can == 0 {
		return MechanismInfo{}, CKR_MECHANISM_INVALID
	}
	info := MechanismInfo{MinKeySize: sizes.least, MaxKeySize: sizes.most, Flags: can | k.flags}
	if inDevice && m.slot.options.Hardware {
		info.Flags |= CKF_HW
	}
	return info, nil
}

// deviceSizes are the sizes of the keys that the device works with in a key slot, and the functions that it has for them.
func (k *keySort) deviceSizes(m abilities, functions uint) (sizes span, can uint) {
	for i := range curves {
		c := &curves[i]
		if !k.include(c.keyType) {
			continue
		}
		if f := functions & functionsOf(m.capability(c.curve)); f != 0 {
			sizes, can = sizes.join(c.sizes), can|f
		}
	}
	return sizes, can
}

// functionsOf are the functions for keys on a curve of which a device can do this.
func functionsOf(c scm.Capability) uint {
	var f uint
	if c.Generate {
		f |= CKF_GENERATE_KEY_PAIR
	}
	if c.Sign {
		f |= CKF_SIGN | CKF_VERIFY | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE
	}
	if c.Agree {
		f |= CKF_DERIVE
	}
	return f
}
