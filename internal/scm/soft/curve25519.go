// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
	"io"

	"libzk_pkcs11/internal/scm"
)

// ed25519Key signs what use, a value of Options.Ed25519, says.
type ed25519Key struct {
	key ed25519.PrivateKey
	use string
}

func parseEd25519(seed []byte) private { return parseEd25519Like(seed, Ed25519Message) }

func parseEd25519Like(seed []byte, use string) private {
	return ed25519Key{ed25519.NewKeyFromSeed(seed), use}
}

func (k ed25519Key) public() []byte { return k.key.Public().(ed25519.PublicKey) }

func (k ed25519Key) secret() []byte { return k.key.Seed() }

func (k ed25519Key) sign(_ io.Reader, message []byte) ([]byte, error) {
	switch k.use {
	case Ed25519Digest:
		if err := checkDigest(message); err != nil {
			return nil, err
		}
	case Ed25519None:
		return nil, fmt.Errorf("signature with %s: %w", scm.Ed25519, scm.ErrCurve)
	}
	return ed25519.Sign(k.key, message), nil
}

func (k ed25519Key) agree([]byte) ([]byte, error) {
	return nil, fmt.Errorf("key agreement with %s: %w", scm.Ed25519, scm.ErrCurve)
}

type x25519Key struct{ key *ecdh.PrivateKey }

func parseX25519(scalar []byte) (private, error) {
	key, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return x25519Key{key}, nil
}

func (k x25519Key) public() []byte { return k.key.PublicKey().Bytes() }

func (k x25519Key) secret() []byte { return k.key.Bytes() }

func (k x25519Key) sign(io.Reader, []byte) ([]byte, error) {
	return nil, fmt.Errorf("signature with %s: %w", scm.X25519, scm.ErrCurve)
}

// agree refuses points of low order, with which the secret would be all zeros
// (RFC 7748, section 6.1).
func (k x25519Key) agree(peer []byte) ([]byte, error) {
	pub, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	secret, err := k.key.ECDH(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrInput, err)
	}
	return secret, nil
}
