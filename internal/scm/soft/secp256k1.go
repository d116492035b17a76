// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/blinded"
	"libzk_pkcs11/internal/scm"
)

func publicSecp256k1(public, key []byte) error {
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !blinded.SetScalar(&d, key) {
		return fmt.Errorf("scalar out of range: %w", scm.ErrInput)
	}
	var point secp256k1.JacobianPoint
	blinded.BaseMult(&d, &point)
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
	if !blinded.SetScalar(&d, key) {
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
	if !blinded.SetScalar(&k, nonce) {
		return false
	}
	var point secp256k1.JacobianPoint
	blinded.BaseMult(&k, &point)
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(point.X.Bytes()[:])
	s.Mul2(d, &r).Add(e)
	blinded.Invert(&k)
	s.Mul(&k)
	r.PutBytesUnchecked(signature[:32])
	s.PutBytesUnchecked(signature[32:])
	return !r.IsZero() && !s.IsZero()
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
	if !blinded.SetScalar(&d, key) {
		return scm.ErrDevice
	}
	var point secp256k1.JacobianPoint
	defer point.X.Zero()
	defer point.Y.Zero()
	blinded.Mult(&d, pub, &point)
	point.X.PutBytesUnchecked(shared)
	return nil
}
