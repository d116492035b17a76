// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"encoding/asn1"
	"fmt"

	"filippo.io/nistec"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// nistPoint is what the points of package nistec can do.
type nistPoint[P any] interface {
	SetBytes([]byte) (P, error)
	ScalarMult(P, []byte) (P, error)
	ScalarBaseMult([]byte) (P, error)
	Bytes() []byte
	BytesX() ([]byte, error)
}

// ParsePoint reads a point on a curve that is not the one at infinity: uncompressed or compressed as SEC 1
// has it, or that in an OCTET STRING as CKA_EC_POINT has it, or in a BIT STRING as some clients have it. It returns it
// uncompressed.
func (c Curve) ParsePoint(b []byte) ([]byte, error) {
	if err := c.weierstrass(); err != nil {
		return nil, err
	}
	if !c.pointSize(len(b)) { // a point in a string is longer than itself, and of no other point's length
		b = unwrapPoint(b)
	}
	if !c.pointSize(len(b)) {
		return nil, fmt.Errorf("point of %d bytes: %w", len(b), ErrKey)
	}
	point, err := c.decompress(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return point, nil
}

// unwrapPoint takes CKA_EC_POINT out of the strings of DER that clients put around it.
func unwrapPoint(b []byte) []byte {
	var octets []byte
	var bits asn1.BitString
	if rest, err := asn1.Unmarshal(b, &octets); err == nil && len(rest) == 0 {
		return octets
	}
	if rest, err := asn1.Unmarshal(b, &bits); err == nil && len(rest) == 0 && bits.BitLength%8 == 0 {
		return bits.Bytes
	}
	return b
}

// rawPoint is unwrapPoint for keys of n bytes.
func rawPoint(b []byte, n int) []byte {
	if len(b) == n {
		return b
	}
	return unwrapPoint(b)
}

func (c Curve) pointSize(n int) bool { return n == 1+2*c.Size() || n == 1+c.Size() }

func (c Curve) decompress(b []byte) ([]byte, error) {
	switch c {
	case P224:
		return uncompressed(nistec.NewP224Point(), b)
	case P256:
		return uncompressed(nistec.NewP256Point(), b)
	case P384:
		return uncompressed(nistec.NewP384Point(), b)
	case P521:
		return uncompressed(nistec.NewP521Point(), b)
	}
	if b[0] > 4 {
		return nil, fmt.Errorf("point in form %d: %w", b[0], ErrKey) // the library takes the hybrid one, too
	}
	key, err := secp256k1.ParsePubKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return key.SerializeUncompressed(), nil
}

func uncompressed[P nistPoint[P]](point P, b []byte) ([]byte, error) {
	p, err := point.SetBytes(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return p.Bytes(), nil
}

// basePoint returns the public key of a private one.
func (c Curve) basePoint(scalar []byte) ([]byte, error) {
	switch c {
	case P224:
		return basePoint(nistec.NewP224Point(), scalar)
	case P256:
		return basePoint(nistec.NewP256Point(), scalar)
	case P384:
		return basePoint(nistec.NewP384Point(), scalar)
	case P521:
		return basePoint(nistec.NewP521Point(), scalar)
	}
	return baseSecp256k1(scalar)
}

func basePoint[P nistPoint[P]](point P, scalar []byte) ([]byte, error) {
	p, err := point.ScalarBaseMult(scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return p.Bytes(), nil
}

// sharedX returns the first coordinate of a point times a private key.
func (c Curve) sharedX(scalar, peer []byte) ([]byte, error) {
	switch c {
	case P224:
		return sharedX(nistec.NewP224Point(), scalar, peer)
	case P256:
		return sharedX(nistec.NewP256Point(), scalar, peer)
	case P384:
		return sharedX(nistec.NewP384Point(), scalar, peer)
	case P521:
		return sharedX(nistec.NewP521Point(), scalar, peer)
	}
	return sharedSecp256k1(scalar, peer)
}

func sharedX[P nistPoint[P]](point P, scalar, peer []byte) ([]byte, error) {
	p, err := point.SetBytes(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if p, err = point.ScalarMult(p, scalar); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	x, err := p.BytesX()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return x, nil
}
