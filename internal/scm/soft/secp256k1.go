// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// scalarSecp256k1 reads a private key or a nonce into x. It is false for what is none.
func scalarSecp256k1(x *secp256k1.ModNScalar, b []byte) bool {
	overflow := x.SetByteSlice(b)
	return !overflow && !x.IsZero()
}

func publicSecp256k1(public, key []byte) error {
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !scalarSecp256k1(&d, key) {
		return fmt.Errorf("scalar out of range: %w", scm.ErrInput)
	}
	var point secp256k1.JacobianPoint
	baseMultSecp256k1(&d, &point)
	point.X.PutBytesUnchecked(public[:32])
	point.Y.PutBytesUnchecked(public[32:])
	return nil
}

// signSecp256k1 signs a digest. The library's own function for it takes no random bytes,
// and gives the lower of the two s that are valid. An SCM gives either of them.
func signSecp256k1(signature, key, digest, extra []byte) error {
	if err := checkDigest(digest); err != nil {
		return err
	}
	var d, e secp256k1.ModNScalar
	defer d.Zero()
	if !scalarSecp256k1(&d, key) {
		return scm.ErrDevice
	}
	e.SetByteSlice(digest)
	reduced := e.Bytes()
	var n nonces
	defer n.erase()
	n.initialise(key, reduced[:], extra)
	for !signSecp256k1With(n.candidate(), signature, &d, &e) {
		n.reject()
	}
	return nil
}

// signSecp256k1With signs with a nonce, and reports whether that was possible.
func signSecp256k1With(nonce, signature []byte, d, e *secp256k1.ModNScalar) bool {
	var k secp256k1.ModNScalar
	defer k.Zero()
	if !scalarSecp256k1(&k, nonce) {
		return false
	}
	var point secp256k1.JacobianPoint
	baseMultSecp256k1(&k, &point)
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(point.X.Bytes()[:])
	s.Mul2(d, &r).Add(e)
	invertSecp256k1(&k)
	s.Mul(&k)
	r.PutBytesUnchecked(signature[:32])
	s.PutBytesUnchecked(signature[32:])
	return !r.IsZero() && !s.IsZero()
}

// The library's functions take a time that depends on their numbers. They get a secret only
// together with a random number, and never alone.

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

func agreeSecp256k1(shared, key, peer []byte) error {
	if err := checkPeer(scm.Secp256k1, peer); err != nil {
		return err
	}
	pub, err := secp256k1.ParsePubKey(uncompressed(peer))
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !scalarSecp256k1(&d, key) {
		return scm.ErrDevice
	}
	var b, rest secp256k1.ModNScalar
	defer b.Zero()
	defer rest.Zero()
	randomSecp256k1(&b)
	rest.NegateVal(&b).Add(&d)
	var point, first, second, result secp256k1.JacobianPoint
	pub.AsJacobian(&point)
	secp256k1.ScalarMultNonConst(&rest, &point, &first)
	secp256k1.ScalarMultNonConst(&b, &point, &second)
	secp256k1.AddNonConst(&first, &second, &result)
	result.ToAffine()
	result.X.PutBytesUnchecked(shared)
	first, second, result = point, point, point
	return nil
}
