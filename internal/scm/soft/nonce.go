// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"fmt"
	"io"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// nonces makes nonces for ECDSA by RFC 6979, section 3.2, with SHA-256 and an order of 256
// bits.
type nonces struct{ key, value [32]byte }

// newNonces begins with a private key and a digest, reduced by the order of the curve, and
// with random bytes as the extra data of section 3.6, none where random is nil.
func newNonces(key, digest []byte, random io.Reader) (*nonces, error) {
	var extra []byte
	if random != nil {
		var room [32]byte
		if _, err := io.ReadFull(random, room[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
		}
		extra = room[:]
	}
	n := &nonces{}
	for i := range n.value {
		n.value[i] = 1
	}
	for i := range byte(2) {
		n.key = secret.MAC(n.key[:], n.value[:], []byte{i}, key, digest, extra)
		n.value = secret.MAC(n.key[:], n.value[:])
	}
	return n, nil
}

// next returns the next candidate, which is overwritten by the one after it.
func (n *nonces) next() []byte {
	n.value = secret.MAC(n.key[:], n.value[:])
	return n.value[:]
}

// reject says that the candidate is no nonce.
func (n *nonces) reject() {
	n.key = secret.MAC(n.key[:], n.value[:], []byte{0})
	n.value = secret.MAC(n.key[:], n.value[:])
}

func (n *nonces) erase() { *n = nonces{} }
