// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/rand"
	"fmt"
	"sync"

	"libzk_pkcs11/internal/secret"
)

// LongestSecret is how long a generic secret may be, in bytes.
const LongestSecret = 1 << 16

// Secret is the value of a secret key: a generic secret, a key for HMAC or HKDF, or what
// an AES key is made of. Codes and other keys are made of it.
type Secret struct {
	value *value
	macs  sync.Map // crypto.Hash → *sync.Pool of hash.Hash: keyed HMAC
}

// NewSecret returns a secret of 1 to 65536 bytes. The bytes stay the caller's, who overwrites them.
func NewSecret(b []byte) (*Secret, error) {
	if len(b) < 1 || len(b) > LongestSecret {
		return nil, fmt.Errorf("secret of %d bytes: %w", len(b), ErrKeySize)
	}
	return &Secret{value: newValue(b)}, nil
}

// GenerateSecret returns a random secret of n bytes.
func GenerateSecret(n int) (*Secret, error) {
	if n < 1 || n > LongestSecret {
		return nil, fmt.Errorf("secret of %d bytes: %w", n, ErrKeySize)
	}
	s := &Secret{value: newValue(make([]byte, n))}
	rand.Read(s.value.buffer.Bytes())
	return s, nil
}

// Size is the length of the secret in bytes.
func (s *Secret) Size() int { return s.value.size() }

// Value returns a copy of the secret, which the caller overwrites.
func (s *Secret) Value() []byte { return s.value.copied() }

// CheckValue returns the three bytes of CKA_CHECK_VALUE of a secret that no cipher has: the first
// ones of its SHA-1.
func (s *Secret) CheckValue() []byte {
	b := s.Value()
	defer clear(b)
	state := crypto.SHA1.New()
	state.Write(b)
	sum := state.Sum(nil)
	secret.Forget(state)
	return sum[:3]
}
