// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

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
	case curvePublic:
		a[CKA_EC_PARAMS], a[CKA_EC_POINT] = k.Curve().Params(), k.Point()
	case *softkey.MLDSAPublic:
		a[CKA_PARAMETER_SET], a[CKA_VALUE] = numberOfSet(signatureSets, k.Set()), k.Raw()
	case *softkey.MLKEMPublic:
		a[CKA_PARAMETER_SET], a[CKA_VALUE] = numberOfSet(encapsulationSets, k.Set()), k.Raw()
	default:
		return nil, softkey.ErrUnsupported
	}
	return a, nil
}

// curvePublic is a public key on a curve.
type curvePublic interface {
	softkey.PublicKey
	Curve() softkey.Curve
	Point() []byte
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
	case interface{ Seed() []byte }: // ML-DSA, ML-KEM
		return attributes{CKA_SEED: k.Seed()}
	case interface{ Value() []byte }: // on a curve
		return attributes{CKA_VALUE: k.Value()}
	}
	return nil
}

// softPublicOf reads the public key of a public key object that is not on a curve of the device.
func softPublicOf(a attributes) (softkey.PublicKey, error) {
	switch a.number(CKA_KEY_TYPE) {
	case CKK_RSA:
		k, err := softkey.NewRSAPublic(softkey.RSANumbers{N: a[CKA_MODULUS], E: a[CKA_PUBLIC_EXPONENT]})
		if err != nil {
			return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_MODULUS, "and CKA_PUBLIC_EXPONENT are no RSA key of 2048 to 4096 bits")
		}
		return k, nil
	case CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY:
		c, err := softCurveOf(a)
		if err != nil {
			return nil, err
		}
		return softPoint(c, a[CKA_EC_POINT])
	case CKK_ML_DSA, CKK_ML_KEM:
		return latticePublicOf(a)
	}
	return nil, CKR_ATTRIBUTE_VALUE_INVALID
}

// softCurveOf reads the curve of a key.
func softCurveOf(a attributes) (softkey.Curve, error) {
	c, err := softkey.ParseParams(a[CKA_EC_PARAMS])
	switch {
	case errors.Is(err, softkey.ErrUnsupported):
		return 0, refuse(CKR_CURVE_NOT_SUPPORTED, CKA_EC_PARAMS, "is no curve that is known here")
	case err != nil:
		return 0, refuse(CKR_DOMAIN_PARAMS_INVALID, CKA_EC_PARAMS, "is no curve")
	case curveType(c) != a.number(CKA_KEY_TYPE):
		return 0, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_KEY_TYPE, "is not that of the curve")
	}
	return c, nil
}

// curveType is the CKA_KEY_TYPE of keys on a curve.
func curveType(c softkey.Curve) uint {
	switch c {
	case softkey.Ed25519:
		return CKK_EC_EDWARDS
	case softkey.X25519:
		return CKK_EC_MONTGOMERY
	}
	return CKK_EC
}

// softPoint reads the public key on a curve.
func softPoint(c softkey.Curve, point []byte) (k softkey.PublicKey, err error) {
	switch c {
	case softkey.Ed25519:
		k, err = softkey.NewEdwardsPublic(point)
	case softkey.X25519:
		k, err = softkey.NewMontgomeryPublic(point)
	default:
		k, err = softkey.NewECPublic(c, point)
	}
	if err != nil {
		return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_EC_POINT, "is no point of the curve")
	}
	return k, nil
}

// withNumbers is withValue for a private key of which somebody asks for what is secret, if it is for him.
func (t *token) withNumbers(o *object, queries []Query) (*object, error) {
	if !o.showsSecret(queries) {
		return o, nil
	}
	return t.withAllNumbers(o)
}

// withAllNumbers returns a private key with what is secret of it.
func (t *token) withAllNumbers(o *object) (*object, error) {
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
	clear(shown.attrs[CKA_VALUE]) // of a data object, which hides from nobody who is logged in
	for t, v := range shown.attrs {
		if shown.rules[t].is&concealed != 0 {
			clear(v)
		}
	}
}
