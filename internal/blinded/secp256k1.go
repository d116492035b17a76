// SPDX-License-Identifier: Apache-2.0

// Package blinded computes with secret numbers of secp256k1 by a library whose functions take
// a time that depends on their numbers. These get a secret only together with a random number,
// and never alone.
package blinded

import (
	"crypto/rand"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// SetScalar reads a private key or a nonce of 32 bytes into x, and reports whether it is one:
// from 1 to the order less 1.
func SetScalar(x *secp256k1.ModNScalar, b []byte) bool {
	overflow := x.SetByteSlice(b)
	return !overflow && !x.IsZero()
}

// randomScalar sets b to a random number from 1 to the order less 1.
func randomScalar(b *secp256k1.ModNScalar) {
	var room [32]byte
	defer clear(room[:])
	for {
		rand.Read(room[:])
		if SetScalar(b, room[:]) {
			return
		}
	}
}

// BaseMult sets p to x times the base point, in affine coordinates.
func BaseMult(x *secp256k1.ModNScalar, p *secp256k1.JacobianPoint) {
	var b, rest secp256k1.ModNScalar
	defer b.Zero()
	defer rest.Zero()
	randomScalar(&b)
	rest.NegateVal(&b).Add(x)
	var first, second secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&rest, &first)
	secp256k1.ScalarBaseMultNonConst(&b, &second)
	secp256k1.AddNonConst(&first, &second, p)
	p.ToAffine()
}

// Mult sets p to x times the point of a public key, in affine coordinates. The caller
// overwrites p, which is a secret.
func Mult(x *secp256k1.ModNScalar, key *secp256k1.PublicKey, p *secp256k1.JacobianPoint) {
	var b, rest secp256k1.ModNScalar
	defer b.Zero()
	defer rest.Zero()
	randomScalar(&b)
	rest.NegateVal(&b).Add(x)
	var point, first, second secp256k1.JacobianPoint
	key.AsJacobian(&point)
	secp256k1.ScalarMultNonConst(&rest, &point, &first)
	secp256k1.ScalarMultNonConst(&b, &point, &second)
	secp256k1.AddNonConst(&first, &second, p)
	p.ToAffine()
	first, second = point, point
}

// Invert sets x, which is not 0, to its inverse.
func Invert(x *secp256k1.ModNScalar) {
	var b secp256k1.ModNScalar
	defer b.Zero()
	randomScalar(&b)
	x.Mul(&b).InverseNonConst()
	x.Mul(&b)
}
