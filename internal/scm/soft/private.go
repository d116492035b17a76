// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"fmt"
	"io"

	"libzk_pkcs11/internal/scm"
)

// secretSize is the length in bytes of a private key on each of the curves: a
// big-endian scalar for P-256 and secp256k1, the seed of RFC 8032 for Ed25519,
// the scalar of RFC 7748 before clamping for X25519.
const secretSize = 32

// private is the private half of a key pair, ready for use. Its methods may be
// called from any goroutine.
type private interface {
	// public returns the public half in the form of scm.Key.Public.
	public() []byte
	// secret returns a copy of what parse takes.
	secret() []byte
	// sign is scm.Device.Sign. An ECDSA key makes its nonce of the key, the message and
	// bytes of random, and by RFC 6979 where random is nil. Others have no use for it.
	sign(random io.Reader, message []byte) ([]byte, error)
	// agree is scm.Agreer.Agree.
	agree(peer []byte) ([]byte, error)
}

// parse makes the private key that secret is on the curve. It keeps no
// reference to secret. ErrInput when secret is no private key there.
func parse(c scm.Curve, secret []byte) (private, error) {
	if len(secret) != secretSize {
		return nil, fmt.Errorf("private key of %d bytes: %w", len(secret), scm.ErrInput)
	}
	switch c {
	case scm.P256:
		return parseP256(secret)
	case scm.Secp256k1:
		return parseSecp256k1(secret)
	case scm.Ed25519:
		return parseEd25519(secret), nil
	case scm.X25519:
		return parseX25519(secret)
	}
	return nil, errUnknown(c)
}

// generate makes a private key and fills secret, secretSize bytes long, with
// what parse takes.
func generate(c scm.Curve, secret []byte) (private, error) {
	if !known(c) {
		return nil, errUnknown(c)
	}
	for {
		rand.Read(secret)
		// Of all the 32-byte strings a few are no scalars: draw again, as the
		// standards' method of rejection sampling asks for.
		if k, err := parse(c, secret); err == nil {
			return k, nil
		}
	}
}

func known(c scm.Curve) bool { return c >= scm.P256 && c <= scm.X25519 }

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
