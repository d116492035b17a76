// SPDX-License-Identifier: Apache-2.0

// Package keyring shows the keys and certificates of a token as people think of them: a key is one thing and not two
// objects, it has a certificate or none, and it signs as a crypto.Signer.
package keyring

import (
	"errors"

	"libzk_pkcs11/pkcs11"
)

// Ring is what a session sees of the keys of its token.
type Ring struct {
	Provider *pkcs11.Provider
	Session  uint
	Slot     uint // of the token

	// PIN returns the user's PIN for a key that wants it at each use (CKA_ALWAYS_AUTHENTICATE).
	PIN func() ([]byte, error)
}

// Values are attributes of an object. What it does not have, or does not show, is not there.
type Values map[uint][]byte

// number returns a CK_ULONG, and reports whether it is among them.
func (v Values) number(kind uint) (uint, bool) { return pkcs11.DecodeULong(v[kind]) }

// isTrue reports whether a CK_BBOOL is among them, and true.
func (v Values) isTrue(kind uint) bool { return len(v[kind]) == 1 && v[kind][0] == pkcs11.CK_TRUE }

// find lists the objects that a template fits.
func (r *Ring) find(template ...pkcs11.Attribute) ([]uint, error) {
	if err := r.Provider.FindObjectsInit(r.Session, template); err != nil {
		return nil, err
	}
	var all []uint
	some := make([]uint, 64)
	for {
		n, err := r.Provider.FindObjects(r.Session, some)
		all = append(all, some[:n]...)
		if err != nil || n < len(some) {
			return all, errors.Join(err, r.Provider.FindObjectsFinal(r.Session))
		}
	}
}

// findClass lists the objects of a class that are on the token.
func (r *Ring) findClass(class uint) ([]uint, error) {
	return r.find(Number(pkcs11.CKA_CLASS, class), Truth(pkcs11.CKA_TOKEN, pkcs11.CK_TRUE))
}

// read returns attributes of an object. It asks for the lengths first.
func (r *Ring) read(object uint, kinds ...uint) (Values, error) {
	lengths := make([]uint, len(kinds))
	queries := make([]pkcs11.Query, len(kinds))
	for i, kind := range kinds {
		queries[i] = pkcs11.Query{Type: kind, Length: &lengths[i]}
	}
	if err := r.Provider.GetAttributeValue(r.Session, object, queries); err != nil && !isMissing(err) {
		return nil, err
	}
	v := Values{}
	for _, q := range queries {
		if *q.Length == pkcs11.CK_UNAVAILABLE_INFORMATION {
			continue
		}
		q.Buffer = make([]byte, *q.Length)
		if err := r.Provider.GetAttributeValue(r.Session, object, []pkcs11.Query{q}); err != nil {
			return nil, err
		}
		v[q.Type] = q.Buffer[:*q.Length]
	}
	return v, nil
}

// isMissing reports whether an error says of some attribute that the object does not have or show it.
func isMissing(err error) bool {
	return errors.Is(err, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID) || errors.Is(err, pkcs11.CKR_ATTRIBUTE_SENSITIVE)
}

// Number is an attribute that is a CK_ULONG.
func Number(kind, value uint) pkcs11.Attribute {
	return pkcs11.Attribute{Type: kind, Value: pkcs11.EncodeULong(value)}
}

// Truth is an attribute that is CK_TRUE or CK_FALSE.
func Truth(kind uint, value byte) pkcs11.Attribute {
	return pkcs11.Attribute{Type: kind, Value: []byte{value}}
}

// Bytes is an attribute of any bytes.
func Bytes[T ~[]byte | ~string](kind uint, value T) pkcs11.Attribute {
	return pkcs11.Attribute{Type: kind, Value: []byte(value)}
}
