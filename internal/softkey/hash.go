// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	_ "crypto/sha1" // the hashes by their numbers
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
)

// Hashes lists the hashes that this package computes with. MD5 is none of them.
func Hashes() []crypto.Hash {
	return []crypto.Hash{
		crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA512_224, crypto.SHA512_256,
		crypto.SHA3_224, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512,
	}
}

// checkHash returns ErrUnsupported for what is not in Hashes.
func checkHash(h crypto.Hash) error {
	switch h {
	case crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA512_224, crypto.SHA512_256,
		crypto.SHA3_224, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512:
		return nil
	}
	return fmt.Errorf("hash %d: %w", h, ErrUnsupported)
}

// digest returns the hash of parts, one after another.
func digest(h crypto.Hash, parts ...[]byte) []byte {
	state := h.New()
	for _, b := range parts {
		state.Write(b)
	}
	return state.Sum(nil)
}

// maskMGF1 adds the mask that MGF1 makes of a seed to b (RFC 8017, section B.2.1).
func maskMGF1(b []byte, h crypto.Hash, seed []byte) {
	state := h.New()
	var counter [4]byte
	var room [64]byte
	for i := uint32(0); len(b) > 0; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		b = b[addMask(b, maskBlock(state, room[:0], seed, counter[:])):]
	}
	clear(room[:])
}

func maskBlock(state hash.Hash, room, seed, counter []byte) []byte {
	state.Reset()
	state.Write(seed)
	state.Write(counter)
	return state.Sum(room)
}

// addMask adds a mask to b as far as both reach, and returns how far that is.
func addMask(b, mask []byte) int {
	n := min(len(b), len(mask))
	for i := range n {
		b[i] ^= mask[i]
	}
	return n
}
