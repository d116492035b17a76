// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// A private key that is brought in comes as the numbers of a template, or as what was unwrapped. What is kept of it is its
// PrivateKeyInfo, and what everybody may see.

// completePrivate makes a private key of the numbers in a template.
func completePrivate(a attributes) error {
	k, err := privateOf(a)
	switch {
	case errors.Is(err, softkey.ErrKey), errors.Is(err, softkey.ErrKeySize):
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_KEY_TYPE, "is not that of the numbers, which are no such key")
	case err != nil:
		return err
	}
	a[CKA_LOCAL], a[CKA_ALWAYS_SENSITIVE], a[CKA_NEVER_EXTRACTABLE] = no, no, no
	if err := a.checkSealable(); err != nil {
		return err
	}
	return a.holdPrivate(k)
}

// privateOf reads a private key of its numbers.
func privateOf(a attributes) (softkey.PrivateKey, error) {
	if a.number(CKA_KEY_TYPE) == CKK_RSA {
		return rsaOf(a)
	}
	if isLatticeType(a.number(CKA_KEY_TYPE)) {
		return latticePrivateOf(a)
	}
	c, err := softCurveOf(a)
	if err != nil {
		return nil, err
	}
	return numberOn(c, a[CKA_VALUE])
}

// rsaOf reads an RSA key. Its public exponent may be missing where it is the usual one.
func rsaOf(a attributes) (softkey.PrivateKey, error) {
	e := a[CKA_PUBLIC_EXPONENT]
	if len(e) == 0 {
		e = publicExponent
	}
	k, err := softkey.NewRSA(softkey.RSANumbers{
		N: a[CKA_MODULUS], E: e, D: a[CKA_PRIVATE_EXPONENT], P: a[CKA_PRIME_1], Q: a[CKA_PRIME_2],
		DP: a[CKA_EXPONENT_1], DQ: a[CKA_EXPONENT_2], QI: a[CKA_COEFFICIENT],
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// numberOn returns the private key on a curve that a number is.
func numberOn(c softkey.Curve, number []byte) (k softkey.PrivateKey, err error) {
	switch c {
	case softkey.Ed25519:
		k, err = softkey.NewEdwards(number)
	case softkey.X25519:
		k, err = softkey.NewMontgomery(number)
	default:
		k, err = softkey.NewEC(c, number)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// holdPrivate puts a private key into the attributes of its object, in place of its numbers. What the caller says of the
// public key has to be so.
func (a attributes) holdPrivate(k softkey.PrivateKey) error {
	told, err := publicAttributes(k.Public())
	if err != nil {
		return err
	}
	if given := a[CKA_PUBLIC_KEY_INFO]; len(given) > 0 && !bytes.Equal(given, told[CKA_PUBLIC_KEY_INFO]) {
		return refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_PUBLIC_KEY_INFO, "is of another key")
	}
	r := mustRules(a)
	for t := range r {
		if r[t].is&concealed != 0 {
			clear(a[t])
			delete(a, t)
		}
	}
	for t, v := range told {
		_, has := r[t]
		has = has && r[t].is&concealed == 0 // the CKA_VALUE of ML-DSA's halves differs
		if _, named := a[CKA_EC_PARAMS]; has && (t != CKA_EC_PARAMS || !named) {
			a[t] = v
		}
	}
	a[privateKeyInfo], err = k.Marshal()
	return err
}

// isCurveAttribute reports whether an attribute of a public key stays as its template has it: there is more than one form.
func isCurveAttribute(t uint) bool { return t == CKA_EC_PARAMS || t == CKA_EC_POINT }

// erasePrivate overwrites a private key that is kept elsewhere by now, or nowhere.
func (a attributes) erasePrivate() { clear(a[privateKeyInfo]) }

// bringOut puts what is secret of a key in volatile memory into the attributes of a copy, which is sealed. It is the only
// key in the device of which there is a copy: one in a key slot never leaves it.
func (t *token) bringOut(o *object, a attributes) error {
	in, goes := o.place.(transient)
	if !goes || !t.sealsKeys() {
		return CKR_ACTION_PROHIBITED
	}
	number := in.secret(t)
	defer clear(number)
	c, err := softkey.ParseParams(curves[o.deviceKey().Curve].encodeParams())
	if err != nil || len(number) == 0 {
		return CKR_ACTION_PROHIBITED
	}
	k, err := numberOn(c, number)
	if err != nil {
		return err
	}
	return a.holdPrivate(k)
}
