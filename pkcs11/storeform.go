// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/binary"
	"math"

	"libzk_pkcs11/internal/store"
)

// allRules has every attribute that an object of this token can have.
var allRules = mergeRules(dataObject, certificateObject, ecPublicObject, ecPrivateObject, secretObject, rsaPublicObject, rsaPrivateObject, aesObject, kemPublic, kemPrivate)

// toStore turns attributes into the form of the store, in which a CK_ULONG has
// eight bytes, little-endian, on every machine: a token's directory may be read
// by 32-bit and by 64-bit programs.
func toStore(a attributes) map[uint64][]byte {
	out := make(map[uint64][]byte, len(a))
	for t, v := range a {
		out[uint64(t)] = storeForm(t, v)
	}
	return out
}

// storeForm is the form of one value.
func storeForm(t uint, v []byte) []byte {
	if k := allRules[t].kind; k == number || k == numbers {
		return widenNumbers(v)
	}
	return v
}

// attributesOf returns the attributes of a record. The SO, who is logged in
// then, says that a certificate is trusted: it is not believed of a record that somebody
// who is not logged in may have written.
func attributesOf(r *store.Record) attributes {
	a := fromStore(r.Attributes).withAll(fromStore(r.Values))
	if !r.Authentic && a.isTrue(CKA_TRUSTED) {
		a[CKA_TRUSTED] = no
	}
	return a
}

// fromStore is the reverse of toStore.
func fromStore(stored map[uint64][]byte) attributes {
	a := make(attributes, len(stored))
	for t, v := range stored {
		if k := allRules[uint(t)].kind; k == number || k == numbers {
			v = narrowNumbers(v)
		}
		a[uint(t)] = v
	}
	return a
}

func widenNumbers(v []byte) []byte {
	out := make([]byte, 0, len(v)/ulongSize*8)
	for ; len(v) >= ulongSize; v = v[ulongSize:] {
		n, _ := decodeULong(v[:ulongSize])
		wide := uint64(n)
		if n == CK_UNAVAILABLE_INFORMATION {
			wide = math.MaxUint64
		}
		out = binary.LittleEndian.AppendUint64(out, wide)
	}
	return out
}

func narrowNumbers(v []byte) []byte {
	out := make([]byte, 0, len(v)/8*ulongSize)
	for ; len(v) >= 8; v = v[8:] {
		out = append(out, encodeULong(uint(binary.LittleEndian.Uint64(v)))...)
	}
	return out
}
