// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/rand"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/blinded"
	"libzk_pkcs11/internal/secret"
)

// The library's own signatures would have no random bytes in them, and the lower of the two s
// that are valid: they are made here (FIPS 186-5, section 6.4.1).

// signSecp256k1 signs a hash with a nonce that is at random, of the key and of the hash: neither a bad source
// of random numbers nor a message signed twice gives the key away.
func signSecp256k1(scalar, digest []byte) ([]byte, error) {
	var d, e, k secp256k1.ModNScalar
	defer d.Zero()
	defer k.Zero()
	if !blinded.SetScalar(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	e.SetByteSlice(digest[:min(len(digest), 32)])
	for {
		if !drawNonce(&k, scalar, digest[:min(len(digest), 32)]) {
			continue
		}
		if signature := signSecp256k1With(&k, &d, &e); signature != nil {
			return signature, nil
		}
	}
}

// drawNonce draws a nonce that nobody who knows either random numbers or the key learns. It
// reports whether it is one.
func drawNonce(k *secp256k1.ModNScalar, scalar, digest []byte) (usable bool) {
	random := make([]byte, 32)
	rand.Read(random)
	nonce := secret.MACWithin(scalar, random, digest)
	usable = blinded.SetScalar(k, nonce[:])
	clear(nonce[:])
	clear(random)
	return usable
}

// signSecp256k1With signs with a nonce, or returns nil for the one nonce in 2^128 that gives no signature.
func signSecp256k1With(k, d, e *secp256k1.ModNScalar) []byte {
	var point secp256k1.JacobianPoint
	blinded.BaseMult(k, &point)
	var r, s secp256k1.ModNScalar
	r.SetByteSlice(point.X.Bytes()[:])
	s.Mul2(d, &r).Add(e)
	blinded.Invert(k)
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
	if !blinded.SetScalar(&r, signature[:32]) || !blinded.SetScalar(&s, signature[32:]) {
		return ErrSignature
	}
	hashed := make([]byte, 32) // the library takes no longer ones as they are meant
	copy(hashed[max(0, 32-len(digest)):], digest)
	if !ecdsa.NewSignature(&r, &s).Verify(hashed, key) {
		return ErrSignature
	}
	return nil
}

func baseSecp256k1(scalar []byte) ([]byte, error) {
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !blinded.SetScalar(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	var point secp256k1.JacobianPoint
	blinded.BaseMult(&d, &point)
	return secp256k1.NewPublicKey(&point.X, &point.Y).SerializeUncompressed(), nil
}

func sharedSecp256k1(scalar, peer []byte) ([]byte, error) {
	key, err := secp256k1.ParsePubKey(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	var d secp256k1.ModNScalar
	defer d.Zero()
	if !blinded.SetScalar(&d, scalar) {
		return nil, fmt.Errorf("private key on secp256k1: %w", ErrKey)
	}
	var shared secp256k1.JacobianPoint
	defer shared.X.Zero()
	defer shared.Y.Zero()
	blinded.Mult(&d, key, &shared)
	return shared.X.Bytes()[:], nil
}
