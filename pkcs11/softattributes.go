// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"libzk_pkcs11/internal/softkey"
)

// publicAttributes are the attributes that tell a public key.
func publicAttributes(k softkey.PublicKey) (attributes, error) {
	info, err := k.Marshal()
	if err != nil {
		return nil, err
	}
	a := attributes{CKA_PUBLIC_KEY_INFO: info}
	switch k := k.(type) {
	case *softkey.RSAPublic:
		n := k.Numbers()
		a[CKA_MODULUS], a[CKA_PUBLIC_EXPONENT] = n.N, n.E
		a[CKA_MODULUS_BITS] = encodeULong(uint(k.Bits()))
	default:
		return nil, softkey.ErrUnsupported
	}
	return a, nil
}

// secretAttributes are the attributes of a private key that are shown only of one that is neither sensitive nor bound to stay.
// The caller overwrites them.
func secretAttributes(k softkey.PrivateKey) attributes {
	switch k := k.(type) {
	case *softkey.RSA:
		n := k.Numbers()
		return attributes{
			CKA_PRIVATE_EXPONENT: n.D, CKA_PRIME_1: n.P, CKA_PRIME_2: n.Q,
			CKA_EXPONENT_1: n.DP, CKA_EXPONENT_2: n.DQ, CKA_COEFFICIENT: n.QI,
		}
	}
	return nil
}

// softPublicOf reads the public key of a public key object that is not on a curve of the device.
func softPublicOf(a attributes) (softkey.PublicKey, error) {
	switch a.number(CKA_KEY_TYPE) {
	case CKK_RSA:
		k, err := softkey.NewRSAPublic(softkey.RSANumbers{N: a[CKA_MODULUS], E: a[CKA_PUBLIC_EXPONENT]})
		if err != nil {
			return nil, err
		}
		return k, nil
	}
	return nil, CKR_ATTRIBUTE_VALUE_INVALID
}

// withNumbers is withValue for a private key of which somebody asks for what is secret, if it is for him.
func (t *token) withNumbers(o *object, queries []Query) (*object, error) {
	if !o.showsSecret(queries) {
		return o, nil
	}
	k, err := t.softKey(o)
	if err != nil {
		return nil, err
	}
	private, is := k.(softkey.PrivateKey)
	if !is {
		return o, nil
	}
	all := *o
	all.attrs = o.attrs.withAll(secretAttributes(private))
	return &all, nil
}

// showsSecret reports whether something is asked for that is secret, and shown all the same.
func (o *object) showsSecret(queries []Query) bool {
	for _, q := range queries {
		if o.rules[q.Type].is&concealed != 0 && !o.hidesAttribute(q.Type) {
			return true
		}
	}
	return false
}

// eraseShown overwrites what showing has added to an object.
func (o *object) eraseShown(shown *object) {
	if shown == nil || shown == o {
		return
	}
	for t, v := range shown.attrs {
		if shown.rules[t].is&concealed != 0 {
			clear(v)
		}
	}
}
