// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"math/bits"
	"sync"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"libzk_pkcs11/internal/scm"
)

// What crypto/ecdsa does is done here of the same parts, for it keeps a copy of each
// private key that it has signed with.

// orderP256 is the order of the base point, n in FIPS 186-5.
var orderP256 = sync.OnceValue(newOrderP256)

func newOrderP256() *bigmod.Modulus {
	n, err := bigmod.NewModulus(elliptic.P256().Params().N.Bytes())
	if err != nil {
		panic(err) // it is odd
	}
	return n
}

// wordsP256 is the same number.
var wordsP256 = words{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}

// setScalar reads a private key or a nonce into x, and reports whether b is one.
func setScalar(x *bigmod.Nat, b []byte) bool {
	_, err := x.SetBytes(b, orderP256())
	return err == nil && x.IsZero() == 0
}

// putScalar writes x to 32 bytes.
func putScalar(b []byte, x *bigmod.Nat) {
	const size = bits.UintSize / 8
	for _, limb := range x.Bits() {
		for i := range size {
			b[len(b)-1-i] = byte(limb >> (8 * i))
		}
		b = b[:len(b)-size]
	}
}

// eraseScalar overwrites x with zero.
func eraseScalar(x *bigmod.Nat) { x.Sub(x, orderP256()) }

func publicP256(public, key []byte) error {
	d := bigmod.NewNat()
	if !setScalar(d, key) {
		return fmt.Errorf("scalar out of range: %w", scm.ErrInput)
	}
	eraseScalar(d)
	p, err := nistec.NewP256Point().ScalarBaseMult(key)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	copy(public, p.Bytes()[1:])
	return nil
}

// signP256 is the signature of FIPS 186-5, section 6.4.1, of a digest.
func signP256(signature, key, digest, extra []byte) error {
	if err := checkDigest(digest); err != nil {
		return err
	}
	d, e := bigmod.NewNat(), bigmod.NewNat()
	if !setScalar(d, key) {
		return scm.ErrDevice
	}
	defer eraseScalar(d)
	if _, err := e.SetOverflowingBytes(digest, orderP256()); err != nil {
		return scm.ErrDevice
	}
	var reduced [32]byte
	putScalar(reduced[:], e)
	var n nonces
	defer n.erase()
	n.initialise(key, reduced[:], extra)
	for !signP256With(n.candidate(), signature, d, e) {
		n.reject()
	}
	return nil
}

// signP256With signs with a nonce, and reports whether that was possible: it is, but for
// one of 2^32 nonces.
func signP256With(nonce, signature []byte, d, e *bigmod.Nat) bool {
	n, k, r, s := orderP256(), bigmod.NewNat(), bigmod.NewNat(), bigmod.NewNat()
	if !setScalar(k, nonce) {
		return false
	}
	defer eraseScalar(k)
	point, err := nistec.NewP256Point().ScalarBaseMult(nonce)
	if err != nil {
		return false
	}
	x, err := point.BytesX()
	if err != nil {
		return false
	}
	if _, err := r.SetOverflowingBytes(x, n); err != nil || r.IsZero() == 1 || !invertP256(k) {
		return false
	}
	s.ExpandFor(n).Add(d, n)
	s.Mul(r, n).Add(e, n).Mul(k, n)
	putScalar(signature[:32], r)
	putScalar(signature[32:], s)
	return s.IsZero() == 0
}

// invertP256 sets k to its inverse, and reports whether it did. What takes a time that depends on its numbers, and
// leaves them in memory, sees k multiplied by a random number and nothing else.
func invertP256(k *bigmod.Nat) bool {
	n, b := orderP256(), bigmod.NewNat()
	var room [32]byte
	defer clear(room[:])
	rand.Read(room[:])
	if _, err := b.SetOverflowingBytes(room[:], n); err != nil {
		return false
	}
	defer eraseScalar(b)
	if k.Mul(b, n).IsZero() == 1 {
		return false // the random number is 0
	}
	putScalar(room[:], k)
	var x words
	x.setBytes(room[:])
	x = inverse(&x, &wordsP256)
	x.putBytes(room[:])
	if _, err := k.SetBytes(room[:], n); err != nil {
		return false
	}
	k.Mul(b, n)
	return true
}

func agreeP256(shared, key, peer []byte) error {
	if err := checkPeer(scm.P256, peer); err != nil {
		return err
	}
	point, err := nistec.NewP256Point().SetBytes(uncompressed(peer))
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	if _, err = point.ScalarMult(point, key); err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	defer point.Set(nistec.NewP256Point())
	x, err := point.BytesX()
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	copy(shared, x)
	clear(x)
	return nil
}
