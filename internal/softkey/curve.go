// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

// Curve is one of those that keys are on.
type Curve int

// The curves. Keys on the last two are *Edwards and *Montgomery.
const (
	P224 Curve = iota
	P256
	P384
	P521
	Secp256k1
	Ed25519
	X25519
)

// curveRow is what there is to know of a curve.
type curveRow struct {
	names []string // the usual one, and those that a PrintableString may have
	bits  int
	oid   asn1.ObjectIdentifier
	std   func() elliptic.Curve // of the standard library, if that has it
}

var curveRows = [...]curveRow{
	P224:      {[]string{"P-224", "secp224r1"}, 224, asn1.ObjectIdentifier{1, 3, 132, 0, 33}, elliptic.P224},
	P256:      {[]string{"P-256", "secp256r1", "prime256v1"}, 256, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256},
	P384:      {[]string{"P-384", "secp384r1"}, 384, asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384},
	P521:      {[]string{"P-521", "secp521r1"}, 521, asn1.ObjectIdentifier{1, 3, 132, 0, 35}, elliptic.P521},
	Secp256k1: {[]string{"secp256k1"}, 256, asn1.ObjectIdentifier{1, 3, 132, 0, 10}, nil},
	Ed25519:   {[]string{"Ed25519", "edwards25519", "id-Ed25519"}, 255, asn1.ObjectIdentifier{1, 3, 101, 112}, nil},
	X25519:    {[]string{"X25519", "curve25519", "id-X25519"}, 255, asn1.ObjectIdentifier{1, 3, 101, 110}, nil},
}

// String returns the usual name of the curve.
func (c Curve) String() string {
	if c < 0 || int(c) >= len(curveRows) {
		return fmt.Sprintf("curve %d", int(c))
	}
	return curveRows[c].names[0]
}

// Bits is the size of the field.
func (c Curve) Bits() int { return curveRows[c].bits }

// Size is the length of a coordinate and of a private key in bytes.
func (c Curve) Size() int { return (c.Bits() + 7) / 8 }

// Params returns CKA_EC_PARAMS: the OID of the curve in DER.
func (c Curve) Params() []byte {
	b, err := asn1.Marshal(curveRows[c].oid)
	if err != nil {
		panic("softkey: " + err.Error()) // of a number in the table
	}
	return b
}

// ParseParams reads CKA_EC_PARAMS: an OID, or a name in a PrintableString. What is neither is ErrKey, with explicit
// parameters among it, and what is no curve of this package ErrUnsupported.
func ParseParams(params []byte) (Curve, error) {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(params, &v); err != nil || len(rest) > 0 || v.Class != asn1.ClassUniversal {
		return 0, fmt.Errorf("parameters of a curve: %w", ErrKey)
	}
	if v.Tag != asn1.TagOID && v.Tag != asn1.TagPrintableString {
		return 0, fmt.Errorf("parameters of a curve with tag %d: %w", v.Tag, ErrKey)
	}
	for c := range curveRows {
		curve := Curve(c)
		if bytes.Equal(params, curve.Params()) || v.Tag == asn1.TagPrintableString && slices.Contains(curveRows[c].names, string(v.Bytes)) {
			return curve, nil
		}
	}
	return 0, fmt.Errorf("curve: %w", ErrUnsupported)
}

// weierstrass returns ErrUnsupported for the curves that have no points with two coordinates.
func (c Curve) weierstrass() error {
	if c < P224 || c > Secp256k1 {
		return fmt.Errorf("%s: %w", c, ErrUnsupported)
	}
	return nil
}

// orderSecp256k1 is what the others have in the standard library.
const orderSecp256k1 = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

// groupOrder is the number of points, n in FIPS 186-5.
func (c Curve) groupOrder() *big.Int {
	if c == Secp256k1 {
		n, _ := new(big.Int).SetString(orderSecp256k1, 16)
		return n
	}
	return curveRows[c].std().Params().N
}
