// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/rand"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/secret"
)

// The library's functions take a time that depends on their numbers. They get a secret only
// together with a random number, and never alone. Its signatures would have no random bytes in them, and
// the lower of the two s that are valid: they are made here (FIPS 186-5, section 6.4.1).

// scalarSecp256k1 reads a private key or a nonce into x. It is false for what is none.
func scalarSecp256k1(x *secp256k1.ModNScalar, b []byte) bool {
	overflow := x.SetByteSlice(b)
	return !overflow && !x.IsZero()
}

// signSecp256k1 signs a hash with a nonce that is at random, of the key and of the hash: neither a bad source
// of random numbers nor a message signed twice gives the key away.
func signSecp256k1(scalar, digest []byte) ([]byte, error) {
	var d, e, k secp256k1.ModNScalar
	defer d.Zero()
	defer k.Zero()
	if !scalarSecp256k1(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	e.SetByteSlice(digest[:min(len(digest), 32)])
	random := make([]byte, 32)
	defer clear(random)
	for {
		rand.Read(random)
		nonce := secret.MACWithin(scalar, random, digest[:min(len(digest), 32)])
		usable := scalarSecp256k1(&k, nonce[:])
		clear(nonce[:])
		if usable {
			if signature := signSecp256k1With(&k, &d, &e); signature != nil {
				return signature, nil
			}
		}
	}
}

// signSecp256k1With signs with a nonce, or returns nil for the one nonce in 2^128 that gives no signature.
func signSecp256k1With(k, d, e *secp256k1.ModNScalar) []byte {
	var point secp256k1.JacobianPoint
	baseMultSecp256k1(k, &point)
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(point.X.Bytes()[:])
	s.Mul2(d, &r).Add(e)
	invertSecp256k1(k)
	s.Mul(k)
	if r.IsZero() || s.IsZero() {
		return nil
	}
	signature := make([]byte, 64)
	r.PutBytesUnchecked(signature[:32])
	s.PutBytesUnchecked(signature[32:])
	return signature
}

func verifySecp256k1(point, digest, signature []byte) error {
	key, err := secp256k1.ParsePubKey(point)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	var r, s secp256k1.ModNScalar
	if !scalarSecp256k1(&r, signature[:32]) || !scalarSecp256k1(&s, signature[32:]) {
		return ErrSignature
	}
	hashed := make([]byte, 32) // the library takes no longer ones as they are meant
	copy(hashed[max(0, 32-len(digest)):], digest)
	if !ecdsa.NewSignature(&r, &s).Verify(hashed, key) {
		return ErrSignature
	}
	return nil
}

// randomSecp256k1 sets b to a random number from 1 to the order less 1.
func randomSecp256k1(b *secp256k1.ModNScalar) {
	var room [32]byte
	defer clear(room[:])
	for {
		rand.Read(room[:])
		if scalarSecp256k1(b, room[:]) {
			return
		}
	}
}

// baseMultSecp256k1 sets p to x times the base point, in affine coordinates.
func baseMultSecp256k1(x *secp256k1.ModNScalar, p *secp256k1.JacobianPoint) {
	var b, rest secp256k1.ModNScalar
	defer b.Zero()
	defer rest.Zero()
	randomSecp256k1(&b)
	rest.NegateVal(&b).Add(x)
	var first, second secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&rest, &first)
	secp256k1.ScalarBaseMultNonConst(&b, &second)
	secp256k1.AddNonConst(&first, &second, p)
	p.ToAffine()
}

// invertSecp256k1 sets x, which is not 0, to its inverse.
func invertSecp256k1(x *secp256k1.ModNScalar) {
	var b secp256k1.ModNScalar
	defer b.Zero()
	randomSecp256k1(&b)
	x.Mul(&b).InverseNonConst()
	x.Mul(&b)
}

func baseSecp256k1(scalar []byte) ([]byte, error) {
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !scalarSecp256k1(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	var point secp256k1.JacobianPoint
	baseMultSecp256k1(&d, &point)
	return secp256k1.NewPublicKey(&point.X, &point.Y).SerializeUncompressed(), nil
}

func sharedSecp256k1(scalar, peer []byte) ([]byte, error) {
	key, err := secp256k1.ParsePubKey(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	var d, b, rest secp256k1.ModNScalar
	defer d.Zero()
	defer b.Zero()
	defer rest.Zero()
	if !scalarSecp256k1(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	randomSecp256k1(&b)
	rest.NegateVal(&b).Add(&d)
	var point, first, second, result secp256k1.JacobianPoint
	key.AsJacobian(&point)
	secp256k1.ScalarMultNonConst(&rest, &point, &first)
	secp256k1.ScalarMultNonConst(&b, &point, &second)
	secp256k1.AddNonConst(&first, &second, &result)
	result.ToAffine()
	return result.X.Bytes()[:], nil
}
