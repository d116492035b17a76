// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/elliptic"
	"fmt"
	"math/big"

	"filippo.io/nistec"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/scm"
)

// SignRecoverable is Sign that also tells what it takes to compute the public key
// from the signature: whether the y coordinate of the point that r comes from is
// odd (1) or even (0). It is 0 for Ed25519: the vendor's wrapper in Python makes all
// of its signatures this way.
func (d *Device) SignRecoverable(s scm.Slot, digest []byte) (sig []byte, recovery byte, err error) {
	var signer *private
	sig, err = d.signWith(s, func(k *private) ([]byte, error) {
		signer = k
		return k.signMessage(d.options.Nonce, digest)
	})
	if err != nil {
		return nil, 0, err
	}
	switch signer.curve {
	case scm.P256:
		recovery, err = parityP256(signer.public, digest, sig)
	case scm.Secp256k1:
		recovery, err = paritySecp256k1(signer.public, digest, sig)
	}
	return sig, recovery, err
}

// errSignature says that a signature of this device is none.
var errSignature = fmt.Errorf("malformed ECDSA signature: %w", scm.ErrDevice)

// parityP256 computes the point that r of a signature comes from, digest/s·G + r/s·Q, and
// reports whether its y coordinate is odd.
func parityP256(public, digest, sig []byte) (byte, error) {
	order := elliptic.P256().Params().N
	inverse := new(big.Int).ModInverse(new(big.Int).SetBytes(sig[32:]), order)
	a, errA := nistec.NewP256Point().ScalarBaseMult(multiply(digest, inverse, order))
	q, errQ := nistec.NewP256Point().SetBytes(uncompressed(public))
	if errA != nil || errQ != nil {
		return 0, errSignature
	}
	b, err := nistec.NewP256Point().ScalarMult(q, multiply(sig[:32], inverse, order))
	if err != nil {
		return 0, errSignature
	}
	return a.Add(a, b).BytesCompressed()[0] & 1, nil
}

// multiply returns a·b in 32 bytes.
func multiply(a []byte, b, modulus *big.Int) []byte {
	product := new(big.Int).Mul(new(big.Int).SetBytes(a), b)
	return product.Mod(product, modulus).FillBytes(make([]byte, 32))
}

// paritySecp256k1 is parityP256 on the other curve.
func paritySecp256k1(public, digest, sig []byte) (byte, error) {
	key, err := secp256k1.ParsePubKey(uncompressed(public))
	if err != nil {
		return 0, errSignature
	}
	var e, r, inverse secp256k1.ModNScalar
	e.SetByteSlice(digest)
	r.SetByteSlice(sig[:32])
	inverse.SetByteSlice(sig[32:])
	inverse.InverseNonConst()
	var a, b, sum, point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(e.Mul(&inverse), &a)
	key.AsJacobian(&point)
	secp256k1.ScalarMultNonConst(r.Mul(&inverse), &point, &b)
	secp256k1.AddNonConst(&a, &b, &sum)
	sum.ToAffine()
	if sum.Y.IsOdd() {
		return 1, nil
	}
	return 0, nil
}
