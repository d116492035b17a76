// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// curve is how a curve of the device looks in PKCS#11 and in DER.
type curve struct {
	curve     scm.Curve
	keyType   uint
	sizes     span                  // key sizes in CK_MECHANISM_INFO
	signature int                   // length of a signature in bytes; 0 where there are none
	oid       asn1.ObjectIdentifier // CKA_EC_PARAMS as an OID
	names     []string              // CKA_EC_PARAMS as a PrintableString
	generate  uint                  // the mechanism that makes such keys
	algorithm asn1.ObjectIdentifier // in a SubjectPublicKeyInfo; nil: the OID itself
}

var ecPublicKeyOID = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// curves is indexed by scm.Curve.
//
// Deviates: keys on Edwards and Montgomery curves have 255 to 256 bits, not 255
// alone (sections 6.3.10 and 6.3.11). Modules say either, and clients compare.
var curves = [...]curve{
	scm.P256: {scm.P256, CKK_EC, span{256, 256}, 64, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7},
		[]string{"secp256r1", "prime256v1"}, CKM_EC_KEY_PAIR_GEN, ecPublicKeyOID},
	scm.Secp256k1: {scm.Secp256k1, CKK_EC, span{256, 256}, 64, asn1.ObjectIdentifier{1, 3, 132, 0, 10},
		[]string{"secp256k1"}, CKM_EC_KEY_PAIR_GEN, ecPublicKeyOID},
	scm.Ed25519: {scm.Ed25519, CKK_EC_EDWARDS, span{255, 256}, 64, asn1.ObjectIdentifier{1, 3, 101, 112},
		[]string{"edwards25519", "Ed25519", "id-Ed25519"}, CKM_EC_EDWARDS_KEY_PAIR_GEN, nil},
	scm.X25519: {scm.X25519, CKK_EC_MONTGOMERY, span{255, 256}, 0, asn1.ObjectIdentifier{1, 3, 101, 110},
		[]string{"curve25519", "X25519", "id-X25519"}, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, nil},
}

// mustDER encodes a value that is known to be encodable.
func mustDER(v any) []byte {
	der, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return der
}

// encodeParams is CKA_EC_PARAMS in its default form, an OID.
func (c *curve) encodeParams() []byte { return mustDER(c.oid) }

// curveOf reads CKA_EC_PARAMS, an OID or a PrintableString.
func curveOf(params []byte) (*curve, error) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(params, &v)
	if err != nil || len(rest) > 0 || params[0] != asn1.TagOID && params[0] != asn1.TagPrintableString {
		return nil, CKR_DOMAIN_PARAMS_INVALID // also the representations that are not supported
	}
	for i := range curves {
		c := &curves[i]
		if bytes.Equal(params, c.encodeParams()) {
			return c, nil
		}
		for _, name := range c.names {
			if params[0] == asn1.TagPrintableString && string(v.Bytes) == name {
				return c, nil
			}
		}
	}
	return nil, CKR_CURVE_NOT_SUPPORTED
}

// rawPoint is a device's public key as a point of SEC 1 (04 x y), or as it is for
// the curves that have no other form.
func (c *curve) rawPoint(public []byte) []byte {
	if c.keyType != CKK_EC {
		return public
	}
	return append([]byte{4}, public...)
}

// encodePoint is CKA_EC_POINT of a device's public key: a DER OCTET STRING.
func (c *curve) encodePoint(public []byte) []byte { return mustDER(c.rawPoint(public)) }

// barePoint is encodePoint without DER for Edwards and Montgomery curves: just the bytes.
func (c *curve) barePoint(public []byte) []byte {
	if c.keyType == CKK_EC {
		return c.encodePoint(public)
	}
	return public
}

// publicOf reads CKA_EC_POINT in any of the forms that are in use (raw, DER
// OCTET STRING, DER BIT STRING) and returns the device's form of the key.
func (c *curve) publicOf(point []byte) ([]byte, error) {
	if p, ok := c.fromRaw(point); ok {
		return p, nil
	}
	var octets []byte
	if rest, err := asn1.Unmarshal(point, &octets); err == nil && len(rest) == 0 {
		if p, ok := c.fromRaw(octets); ok {
			return p, nil
		}
	}
	var bits asn1.BitString
	if rest, err := asn1.Unmarshal(point, &bits); err == nil && len(rest) == 0 && bits.BitLength%8 == 0 {
		if p, ok := c.fromRaw(bits.Bytes); ok {
			return p, nil
		}
	}
	return nil, CKR_ATTRIBUTE_VALUE_INVALID
}

// fromRaw returns the device's form of a point, compressed or not, and reports whether it is valid.
func (c *curve) fromRaw(raw []byte) ([]byte, bool) {
	switch c.curve {
	case scm.P256:
		return p256Point(raw)
	case scm.Secp256k1:
		if len(raw) == 65 && raw[0] != 4 {
			return nil, false // the hybrid form
		}
		k, err := secp256k1.ParsePubKey(raw)
		if err != nil {
			return nil, false
		}
		return k.SerializeUncompressed()[1:], true
	}
	return raw, len(raw) == c.curve.PublicSize()
}

func p256Point(raw []byte) ([]byte, bool) {
	p := elliptic.P256()
	if len(raw) == 33 {
		x, y := elliptic.UnmarshalCompressed(p, raw)
		if x == nil {
			return nil, false
		}
		public := make([]byte, 64)
		x.FillBytes(public[:32])
		y.FillBytes(public[32:])
		return public, true
	}
	if _, err := ecdsa.ParseUncompressedPublicKey(p, raw); err != nil {
		return nil, false
	}
	return raw[1:], true
}

// publicKeyInfo is the SubjectPublicKeyInfo of a device's public key.
func (c *curve) publicKeyInfo(public []byte) []byte {
	type algorithm struct {
		OID    asn1.ObjectIdentifier
		Params asn1.RawValue `asn1:"optional"`
	}
	a := algorithm{OID: c.oid}
	if c.algorithm != nil {
		a = algorithm{c.algorithm, asn1.RawValue{FullBytes: c.encodeParams()}}
	}
	raw := c.rawPoint(public)
	return mustDER(struct {
		Algorithm algorithm
		Key       asn1.BitString
	}{a, asn1.BitString{Bytes: raw, BitLength: 8 * len(raw)}})
}

// derSignature turns r‖s into the SEQUENCE that the standard library takes.
// Trivially wrong numbers are left to it.
func derSignature(rs []byte) []byte {
	half := len(rs) / 2
	return mustDER(struct{ R, S *big.Int }{new(big.Int).SetBytes(rs[:half]), new(big.Int).SetBytes(rs[half:])})
}
