// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"libzk_pkcs11/internal/secret"
)

// EC is a private key on one of the curves P224 to Secp256k1.
type EC struct {
	curve  Curve
	value  *value
	public []byte // uncompressed
	once   sync.Once
	key    *ecdsa.PrivateKey // of the library, once the key has signed; not for secp256k1
}

// ECPublic is a public key on one of these curves.
type ECPublic struct {
	curve Curve
	point []byte // uncompressed
}

// GenerateEC returns a new key.
func GenerateEC(c Curve) (*EC, error) {
	if err := c.weierstrass(); err != nil {
		return nil, err
	}
	return secret.Compute(newRandomEC, c)
}

func newRandomEC(c Curve) (*EC, error) {
	scalar := randomScalar(c)
	defer clear(scalar)
	return newEC(c, scalar)
}

// randomScalar tries until a number is in the range (FIPS 186-5, section A.2.2).
func randomScalar(c Curve) []byte {
	scalar := make([]byte, c.Size())
	for {
		rand.Read(scalar)
		scalar[0] &= 0xff >> (8*len(scalar) - c.Bits())
		if c.checkScalar(scalar) == nil {
			return scalar
		}
	}
}

// checkScalar returns ErrKey for what is not from 1 to the order less 1.
func (c Curve) checkScalar(scalar []byte) error {
	last := new(big.Int).Sub(c.groupOrder(), big.NewInt(1)).FillBytes(make([]byte, len(scalar)))
	if !lessOrEqual(scalar, last) || equalTime(scalar, make([]byte, len(scalar))) {
		return fmt.Errorf("private key on %s: %w", c, ErrKey)
	}
	return nil
}

// lessOrEqual reports whether a is at most b, both of the same length, in a time that tells nothing.
func lessOrEqual(a, b []byte) bool {
	borrow := 0
	for i := len(a) - 1; i >= 0; i-- {
		borrow = (int(b[i]) - int(a[i]) - borrow) >> 8 & 1
	}
	return borrow == 0
}

// NewEC returns a key that was made elsewhere: a big-endian number from 1 to the order less 1. Zeros before
// it may be missing, as PKCS#11 has it for a big integer, or be too many.
func NewEC(c Curve, number []byte) (*EC, error) {
	if err := c.weierstrass(); err != nil {
		return nil, err
	}
	scalar := secret.Make(c.Size())
	defer clear(scalar)
	trimmed := bytes.TrimLeft(number, "\x00")
	if len(trimmed) > len(scalar) {
		return nil, fmt.Errorf("private key of %d bytes on %s: %w", len(trimmed), c, ErrKey)
	}
	copy(scalar[len(scalar)-len(trimmed):], trimmed)
	return secret.ComputeWith(newEC, c, scalar)
}

func newEC(c Curve, scalar []byte) (*EC, error) {
	if err := c.checkScalar(scalar); err != nil {
		return nil, err
	}
	public, err := c.basePoint(scalar)
	if err != nil {
		return nil, err
	}
	return &EC{curve: c, value: newValue(scalar), public: public}, nil
}

// NewECPublic returns a public key, of a point in one of the forms that Curve.ParsePoint knows.
func NewECPublic(c Curve, point []byte) (*ECPublic, error) {
	b, err := c.ParsePoint(point)
	if err != nil {
		return nil, err
	}
	return &ECPublic{c, b}, nil
}

// Curve is that of the key.
func (k *EC) Curve() Curve { return k.curve }

// Value returns CKA_VALUE: the private number, with zeros before it up to the size of the curve. The caller
// overwrites it.
func (k *EC) Value() []byte { return k.value.copied() }

// Public returns the public key.
func (k *EC) Public() PublicKey { return k.PublicEC() }

// PublicEC is Public as what it is.
func (k *EC) PublicEC() *ECPublic { return &ECPublic{k.curve, k.public} }

// Curve is that of the key.
func (k *ECPublic) Curve() Curve { return k.curve }

// Raw returns the point, uncompressed.
func (k *ECPublic) Raw() []byte { return slices.Clone(k.point) }

// Point returns CKA_EC_POINT: the point in an OCTET STRING.
func (k *ECPublic) Point() []byte { return octetString(k.point) }

// octetString returns bytes in DER.
func octetString(b []byte) []byte {
	der, err := asn1.Marshal(b)
	if err != nil {
		panic("softkey: " + err.Error()) // bytes have an encoding
	}
	return der
}
