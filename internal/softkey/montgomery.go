// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// sizeX25519 is the length of all numbers of X25519.
const sizeX25519 = 32

// Montgomery is a private key for X25519.
type Montgomery struct {
	value  *value
	public []byte
}

// MontgomeryPublic is a public key for X25519.
type MontgomeryPublic struct {
	key []byte
}

// GenerateMontgomery returns a new key.
func GenerateMontgomery() (*Montgomery, error) {
	b := make([]byte, sizeX25519)
	defer clear(b)
	rand.Read(b)
	return NewMontgomery(b)
}

// NewMontgomery returns a key that was made elsewhere, of the 32 bytes of RFC 7748.
func NewMontgomery(b []byte) (*Montgomery, error) {
	if len(b) != sizeX25519 {
		return nil, fmt.Errorf("private key of %d bytes for X25519: %w", len(b), ErrKey)
	}
	return secret.Compute(newMontgomery, b)
}

func newMontgomery(b []byte) (*Montgomery, error) {
	key, err := ecdh.X25519().NewPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer secret.EraseField(key, "privateKey")
	return &Montgomery{newValue(b), key.PublicKey().Bytes()}, nil
}

// NewMontgomeryPublic returns a public key of 32 bytes, or of these in an OCTET STRING or BIT STRING.
func NewMontgomeryPublic(b []byte) (*MontgomeryPublic, error) {
	b = rawPoint(b, sizeX25519)
	if len(b) != sizeX25519 {
		return nil, fmt.Errorf("public key of %d bytes for X25519: %w", len(b), ErrKey)
	}
	return &MontgomeryPublic{bytes.Clone(b)}, nil
}

// Curve is X25519.
func (k *Montgomery) Curve() Curve { return X25519 }

// Value returns CKA_VALUE: the 32 bytes of the key, which the caller overwrites.
func (k *Montgomery) Value() []byte { return k.value.copied() }

// Public returns the public key.
func (k *Montgomery) Public() PublicKey { return k.PublicMontgomery() }

// PublicMontgomery is Public as what it is.
func (k *Montgomery) PublicMontgomery() *MontgomeryPublic { return &MontgomeryPublic{k.public} }

// Curve is X25519.
func (k *MontgomeryPublic) Curve() Curve { return X25519 }

// Raw returns the 32 bytes of the key.
func (k *MontgomeryPublic) Raw() []byte { return slices.Clone(k.key) }

// Point returns CKA_EC_POINT in the form of an OCTET STRING.
func (k *MontgomeryPublic) Point() []byte { return octetString(k.key) }

// Agree is EC.Agree. Points of low order, with which the shared value would be zeros, are ErrKey
// (RFC 7748, section 6.1).
func (k *Montgomery) Agree(a Agreement, n int) ([]byte, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	peer, err := ecdh.X25519().NewPublicKey(rawPoint(a.Peer, sizeX25519))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	scalar := k.Value()
	defer clear(scalar)
	shared, err := secret.ComputeWith(sharedX25519, scalar, peer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return a.derive(shared, n)
}

func sharedX25519(scalar []byte, peer *ecdh.PublicKey) ([]byte, error) {
	key, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer secret.EraseField(key, "privateKey")
	return key.ECDH(peer)
}
