// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/ecdh"
	"crypto/fips140"
	"crypto/sha512"
	"fmt"

	"filippo.io/edwards25519"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/secret"
)

// What crypto/ed25519 does is done here of the same parts, for it keeps copies of each
// private key that it has signed with.

// expanded is what RFC 8032, section 5.1.5, makes of a private key, and what a private key
// of BIP32-Ed25519 is.
type expanded struct {
	scalar edwards25519.Scalar
	hash   [sha512.Size]byte // of which the second half is the prefix
}

func (x *expanded) expand(seed []byte) {
	if len(seed) == extendedSize {
		x.take(seed)
		return
	}
	x.hash = sha512.Sum512(seed)
	if _, err := x.scalar.SetBytesWithClamping(x.hash[:32]); err != nil {
		panic(err) // of the length
	}
}

// take reads a private key of BIP32-Ed25519. Its scalar can be greater than the order.
func (x *expanded) take(key []byte) {
	var wide [64]byte
	defer clear(wide[:])
	copy(wide[:], key[:32])
	if _, err := x.scalar.SetUniformBytes(wide[:]); err != nil {
		panic(err) // of the length
	}
	copy(x.hash[32:], key[32:])
}

func (x *expanded) erase() { *x = expanded{} }

func publicEd25519(public, seed []byte) {
	var x expanded
	defer x.erase()
	x.expand(seed)
	copy(public, new(edwards25519.Point).ScalarBaseMult(&x.scalar).Bytes())
}

// signEd25519 signs what use says.
func (k *private) signEd25519(signature, seed, message []byte) error {
	switch k.use {
	case settings.Ed25519Digest:
		if err := checkDigest(message); err != nil {
			return err
		}
	case settings.Ed25519None:
		return fmt.Errorf("signature with %s: %w", scm.Ed25519, scm.ErrCurve)
	}
	signEd25519(signature, seed, k.public, message)
	return nil
}

// signEd25519 is the signature of RFC 8032, section 5.1.6.
func signEd25519(signature, seed, public, message []byte) {
	var x expanded
	defer x.erase()
	x.expand(seed)
	var r, k, s edwards25519.Scalar
	defer func() { r = edwards25519.Scalar{} }()
	hashToScalar(&r, x.hash[32:], message)
	copy(signature, new(edwards25519.Point).ScalarBaseMult(&r).Bytes())
	hashToScalar(&k, signature[:32], public, message)
	copy(signature[32:], s.MultiplyAdd(&k, &x.scalar, &r).Bytes())
}

// hashToScalar sets s to the hash of what it gets, of which it leaves nothing in memory.
func hashToScalar(s *edwards25519.Scalar, parts ...[]byte) {
	var sum [sha512.Size]byte
	defer clear(sum[:])
	h := sha512.New()
	defer secret.Forget(h)
	for _, b := range parts {
		h.Write(b)
	}
	if _, err := s.SetUniformBytes(h.Sum(sum[:0])); err != nil {
		panic(err) // of the length
	}
}

// privateX25519 returns a key of the library of the standard. It holds one copy of the scalar,
// in a field for the caller to erase.
func privateX25519(scalar []byte) (*ecdh.PrivateKey, error) {
	key, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return key, nil
}

// x25519Field is the field of a private key that holds the scalar.
const x25519Field = "privateKey"

// publicX25519 works also with GODEBUG=fips140=only in the environment, as agreeX25519 does:
// FIPS 140 does not know the curve.
func publicX25519(public, scalar []byte) (err error) {
	fips140.WithoutEnforcement(func() { err = multiplyBase(public, scalar) })
	return err
}

func multiplyBase(public, scalar []byte) error {
	key, err := privateX25519(scalar)
	if err != nil {
		return err
	}
	defer secret.EraseField(key, x25519Field)
	copy(public, key.PublicKey().Bytes())
	return nil
}

// agreeX25519 refuses points of low order, with which the secret would be all zeros
// (RFC 7748, section 6.1).
func agreeX25519(shared, scalar, peer []byte) (err error) {
	fips140.WithoutEnforcement(func() { err = multiplyPeer(shared, scalar, peer) })
	return err
}

func multiplyPeer(shared, scalar, peer []byte) error {
	pub, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	key, err := privateX25519(scalar)
	if err != nil {
		return err
	}
	defer secret.EraseField(key, x25519Field)
	b, err := key.ECDH(pub)
	if err != nil {
		return fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	copy(shared, b)
	clear(b)
	return nil
}
