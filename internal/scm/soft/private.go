// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/secret"
)

// secretSize is the length in bytes of a private key on each of the curves: a
// big-endian scalar for P-256 and secp256k1, the seed of RFC 8032 for Ed25519,
// the scalar of RFC 7748 before clamping for X25519.
const secretSize = 32

// extendedSize is that of a private key of BIP32-Ed25519: a scalar, and what takes the place
// of the prefix of RFC 8032. Only wallets have such keys.
const extendedSize = 64

// private is a key pair that is ready for use. The private half is masked; it is in the
// clear for the time of one computation, and nothing of that stays in memory. Methods may
// be called from any goroutine.
type private struct {
	curve  scm.Curve
	public []byte // in the form of scm.Key.Public
	use    string // of an Ed25519 key: a value of Options.Ed25519

	mask   *secret.Mask
	masked *secret.Masked
}

// newPrivate hides a private key, of which it keeps nothing else.
func newPrivate(c scm.Curve, public, key []byte, mask *secret.Mask) *private {
	return &private{curve: c, public: public, use: settings.Ed25519Message, mask: mask, masked: mask.Hide(key)}
}

// errHiddenGone says that the mask of a private key was destroyed before it was used.
var errHiddenGone = fmt.Errorf("private key: %w", scm.ErrSealed)

// withKey calls f with the private key. What f keeps of it on the heap it has to overwrite.
func (k *private) withKey(f func(key []byte) error) (err error) {
	secret.Do(func() {
		var longest [extendedSize]byte
		defer clear(longest[:])
		key := longest[:k.masked.Size()]
		if !k.mask.Show(key, k.masked) {
			err = errHiddenGone
			return
		}
		err = f(key)
	})
	return err
}

// secret returns a copy of the private key, which the caller overwrites.
func (k *private) secret() ([]byte, error) {
	b := make([]byte, k.masked.Size())
	if !k.mask.Show(b, k.masked) {
		return nil, errHiddenGone
	}
	return b, nil
}

// signMessage is scm.Device.Sign, with a value of Settings.Nonce. An ECDSA key makes its nonce
// of the key, the message and random bytes: without them that is RFC 6979. Others have no use
// for them.
func (k *private) signMessage(nonce string, message []byte) ([]byte, error) {
	extra := k.randomFor(nonce)
	signature := make([]byte, 64)
	err := k.withKey(func(key []byte) error {
		switch k.curve {
		case scm.P256:
			return signP256(signature, key, message, extra)
		case scm.Secp256k1:
			return signSecp256k1(signature, key, message, extra)
		case scm.Ed25519:
			return k.signEd25519(signature, key, message)
		}
		return fmt.Errorf("signature with %s: %w", k.curve, scm.ErrCurve)
	})
	if err != nil {
		return nil, err
	}
	return signature, nil
}

// randomFor returns what a nonce is made of besides the key and the message, which is a
// secret only together with the key.
func (k *private) randomFor(nonce string) []byte {
	if nonce == settings.NonceRFC6979 || k.curve == scm.Ed25519 {
		return nil
	}
	extra := make([]byte, 32)
	rand.Read(extra)
	return extra
}

// agreeWith is scm.Agreer.Agree. The caller overwrites what it returns.
func (k *private) agreeWith(peer []byte) ([]byte, error) {
	shared := make([]byte, secretSize)
	err := k.withKey(func(key []byte) error {
		switch k.curve {
		case scm.P256:
			return agreeP256(shared, key, peer)
		case scm.Secp256k1:
			return agreeSecp256k1(shared, key, peer)
		case scm.X25519:
			return agreeX25519(shared, key, peer)
		}
		return fmt.Errorf("key agreement with %s: %w", k.curve, scm.ErrCurve)
	})
	if err != nil {
		return nil, err
	}
	return shared, nil
}

// publicOf returns the public half of a private key. ErrInput when it is none on the
// curve.
func publicOf(c scm.Curve, key []byte) (public []byte, err error) {
	if len(key) != secretSize {
		return nil, fmt.Errorf("private key of %d bytes: %w", len(key), scm.ErrInput)
	}
	if !isCurve(c) {
		return nil, errUnknown(c)
	}
	public = make([]byte, c.PublicSize())
	secret.Do(func() {
		switch c {
		case scm.P256:
			err = publicP256(public, key)
		case scm.Secp256k1:
			err = publicSecp256k1(public, key)
		case scm.Ed25519:
			publicEd25519(public, key)
		case scm.X25519:
			err = publicX25519(public, key)
		}
	})
	if err != nil {
		return nil, err
	}
	return public, nil
}

// generate makes a private key, with which it fills key, secretSize bytes long, and
// returns the public half.
func generate(c scm.Curve, key []byte) (public []byte, err error) {
	if !isCurve(c) {
		return nil, errUnknown(c)
	}
	for {
		rand.Read(key)
		// Of all the 32-byte strings a few are no scalars: draw again, as the
		// standards' method of rejection sampling asks for.
		if public, err = publicOf(c, key); err == nil {
			return public, nil
		}
	}
}

func isCurve(c scm.Curve) bool { return c >= scm.P256 && c <= scm.X25519 }

func errUnknown(c scm.Curve) error {
	return fmt.Errorf("curve number %d: %w", int(c), scm.ErrCurve)
}

// checkDigest refuses what an SCM does not sign with an ECDSA key.
func checkDigest(digest []byte) error {
	if len(digest) != digestSize {
		return fmt.Errorf("digest of %d bytes, not %d: %w", len(digest), digestSize, scm.ErrInput)
	}
	return nil
}

// checkPeer refuses a public key of the wrong length for the curve.
func checkPeer(c scm.Curve, peer []byte) error {
	if len(peer) != c.PublicSize() {
		return fmt.Errorf("public key of %d bytes on %s: %w", len(peer), c, scm.ErrInput)
	}
	return nil
}

// uncompressed returns the SEC 1 form of an x‖y point.
func uncompressed(xy []byte) []byte {
	return append([]byte{4}, xy...)
}
