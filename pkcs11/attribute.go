// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/binary"
	"math/bits"

	"libzk_pkcs11/internal/secret"
)

// Attribute is a CK_ATTRIBUTE of a template. Its value is the caller's memory
// and is copied if it is kept.
type Attribute struct {
	Type  uint
	Value []byte
}

// attributes are the attributes of an object, as C_GetAttributeValue shows
// them. Values are never changed in place.
type attributes map[uint][]byte

// ulongSize is the size of a CK_ULONG in bytes.
const ulongSize = bits.UintSize / 8

// encodeULong encodes a CK_ULONG as it stands in the caller's memory.
func encodeULong(v uint) []byte {
	if ulongSize == 4 {
		return binary.NativeEndian.AppendUint32(nil, uint32(v))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(v))
}

// decodeULong decodes what ulong encodes, and reports whether b is that.
func decodeULong(b []byte) (uint, bool) {
	switch {
	case len(b) != ulongSize:
		return 0, false
	case ulongSize == 4:
		return uint(binary.NativeEndian.Uint32(b)), true
	}
	return uint(binary.NativeEndian.Uint64(b)), true
}

// The two values of a CK_BBOOL.
var (
	yes = []byte{CK_TRUE}
	no  = []byte{CK_FALSE}
)

func encodeBool(v bool) []byte {
	if v {
		return yes
	}
	return no
}

// isTrue reports whether a boolean attribute is there and true.
func (a attributes) isTrue(t uint) bool { return isTrueValue(a[t]) }

// isTrueValue reports whether v is a CK_BBOOL that is true.
func isTrueValue(v []byte) bool { return len(v) == 1 && v[0] != CK_FALSE }

// number returns a CK_ULONG attribute, or CK_UNAVAILABLE_INFORMATION.
func (a attributes) number(t uint) uint {
	if v, ok := decodeULong(a[t]); ok {
		return v
	}
	return CK_UNAVAILABLE_INFORMATION
}

// withAll returns a copy of a in which the attributes of b replace those of a.
func (a attributes) withAll(b attributes) attributes {
	c := make(attributes, len(a)+len(b))
	for t, v := range a {
		c[t] = v
	}
	for t, v := range b {
		c[t] = v
	}
	return c
}

// without returns a copy of a that lacks one attribute.
func (a attributes) without(t uint) attributes {
	c := a.withAll(nil)
	delete(c, t)
	return c
}

// addMissing adds the attributes of b that a does not have.
func (a attributes) addMissing(b attributes) {
	for t, v := range b {
		if _, ok := a[t]; !ok {
			a[t] = v
		}
	}
}

// template makes attributes of a caller's template. It copies the values, to one piece of
// memory that is overwritten when it is collected, and refuses a type that stands twice with
// different ones (section 4.1.1).
func template(list []Attribute) (attributes, error) {
	size := 0
	for _, x := range list {
		size += len(x.Value)
	}
	room := secret.Make(size)
	a := make(attributes, len(list))
	for _, x := range list {
		if v, twice := a[x.Type]; twice && string(v) != string(x.Value) {
			return nil, refuse(CKR_TEMPLATE_INCONSISTENT, x.Type, "is there twice, with different values")
		}
		n := copy(room, x.Value)
		a[x.Type], room = room[:n:n], room[n:]
	}
	return a, nil
}
