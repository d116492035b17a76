// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"sync"

	"filippo.io/bigmod"
	"filippo.io/nistec"

	"libzk_pkcs11/internal/scm"
)

// What crypto/ecdsa does is done here of the same parts, for it keeps a copy of each
// private key that it has signed with.

// orderP256 is the order of the base point, n in FIPS 186-5.
var orderP256 = sync.OnceValue(func() *bigmod.Modulus {
	n, err := bigmod.NewModulus(elliptic.P256().Params().N.Bytes())
	if err != nil {
		panic(err) // it is odd
	}
	return n
})

// scalarP256 reads a private key or a nonce. It is false for what is none.
func scalarP256(b []byte) (*bigmod.Nat, bool) {
	x, err := bigmod.NewNat().SetBytes(b, orderP256())
	return x, err == nil && x.IsZero() == 0
}

// eraseNats overwrites numbers with zero.
func eraseNats(numbers ...*bigmod.Nat) {
	for _, x := range numbers {
		x.Sub(x, orderP256())
	}
}

func publicP256(public, key []byte) error {
	d, ok := scalarP256(key)
	if !ok {
		return fmt.Errorf("scalar out of range: %w", scm.ErrInput)
	}
	eraseNats(d)
	p, err := nistec.NewP256Point().ScalarBaseMult(key)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	copy(public, p.Bytes()[1:])
	return nil
}

// signP256 is the signature of FIPS 186-5, section 6.4.1, of a digest.
func signP256(signature, key, digest []byte, random io.Reader) error {
	if err := checkDigest(digest); err != nil {
		return err
	}
	n := orderP256()
	d, ok := scalarP256(key)
	e, err := bigmod.NewNat().SetOverflowingBytes(digest, n)
	if !ok || err != nil {
		return scm.ErrDevice
	}
	defer eraseNats(d)
	next, err := newNonces(key, e.Bytes(n), random)
	if err != nil {
		return err
	}
	defer next.erase()
	for !signP256With(next.next(), signature, d, e) {
		next.reject()
	}
	return nil
}

// signP256With signs with a nonce, and reports whether that was possible: it is, but for
// one of 2^32 nonces.
func signP256With(nonce, signature []byte, d, e *bigmod.Nat) bool {
	n := orderP256()
	k, ok := scalarP256(nonce)
	if !ok {
		return false
	}
	defer eraseNats(k)
	point, err := nistec.NewP256Point().ScalarBaseMult(nonce)
	if err != nil {
		return false
	}
	x, err := point.BytesX()
	if err != nil {
		return false
	}
	r, err := bigmod.NewNat().SetOverflowingBytes(x, n)
	if err != nil || r.IsZero() == 1 {
		return false
	}
	if !invertP256(k) {
		return false
	}
	s := bigmod.NewNat().ExpandFor(n)
	s.Add(d, n)
	s.Mul(r, n).Add(e, n).Mul(k, n)
	copy(signature[:32], r.Bytes(n))
	copy(signature[32:], s.Bytes(n))
	return s.IsZero() == 0
}

// invertP256 sets k to its inverse. What takes a time that depends on its numbers, and
// leaves them in memory, sees k multiplied by a random number and nothing else.
func invertP256(k *bigmod.Nat) bool {
	n := orderP256()
	var random [32]byte
	defer clear(random[:])
	rand.Read(random[:])
	b, err := bigmod.NewNat().SetOverflowingBytes(random[:], n)
	if err != nil {
		return false
	}
	defer eraseNats(b)
	product := new(big.Int).SetBytes(k.Mul(b, n).Bytes(n))
	if product.ModInverse(product, elliptic.P256().Params().N) == nil {
		return false // the random number is 0
	}
	var inverse [32]byte
	if _, err := k.SetBytes(product.FillBytes(inverse[:]), n); err != nil {
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
	x, err := point.BytesX()
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	copy(shared, x)
	clear(x)
	point.Set(nistec.NewP256Point())
	return nil
}
