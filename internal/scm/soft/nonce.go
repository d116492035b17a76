// SPDX-License-Identifier: Apache-2.0

package soft

import "libzk_pkcs11/internal/secret"

// nonces makes nonces for ECDSA by RFC 6979, section 3.2, with SHA-256 and an order of 256
// bits.
type nonces struct{ key, value [32]byte }

// initialise starts with a private key and a digest, reduced by the order of the curve, and with
// random bytes as the extra data of section 3.6, if there are any.
func (n *nonces) initialise(key, digest, extra []byte) {
	for i := range n.value {
		n.value[i] = 1
	}
	var step [1]byte
	for range 2 {
		n.key = secret.MACWithin(n.key[:], n.value[:], step[:], key, digest, extra)
		n.value = secret.MACWithin(n.key[:], n.value[:])
		step[0]++
	}
}

// candidate returns the next candidate, which is overwritten by the one after it.
func (n *nonces) candidate() []byte {
	n.value = secret.MACWithin(n.key[:], n.value[:])
	return n.value[:]
}

// reject says that the candidate is no nonce.
func (n *nonces) reject() {
	var zero [1]byte
	n.key = secret.MACWithin(n.key[:], n.value[:], zero[:])
	n.value = secret.MACWithin(n.key[:], n.value[:])
}

func (n *nonces) erase() { *n = nonces{} }
