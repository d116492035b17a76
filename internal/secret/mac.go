// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// MAC is HMAC-SHA256 (RFC 2104). The key may be in a Buffer: unlike crypto/hmac, this
// leaves no object of the heap that holds it.
func MAC(key []byte, data ...[]byte) (sum [sha256.Size]byte) {
	within(func() { sum = MACWithin(key, data...) })
	return sum
}

// MACWithin is MAC for functions that Do calls. Of up to 192 bytes it makes no object.
func MACWithin(key []byte, data ...[]byte) [sha256.Size]byte { return mac256(key, data) }

// shortData is up to how many bytes a code is made of without any object of the heap.
const shortData = 192

func mac256(key []byte, data [][]byte) [sha256.Size]byte {
	size := 0
	for _, d := range data {
		size += len(d)
	}
	if size > shortData || len(key) > sha256.BlockSize {
		return macLong(key, data)
	}
	var b [sha256.BlockSize + shortData]byte
	defer clear(b[:])
	n := len(pad(b[:], key, 0x36))
	for _, d := range data {
		n += copy(b[n:], d)
	}
	sum := sha256.Sum256(b[:n])
	n = len(pad(b[:], key, 0x5c))
	n += copy(b[n:], sum[:])
	return sha256.Sum256(b[:n])
}

func macLong(key []byte, data [][]byte) (sum [sha256.Size]byte) {
	mac(sum[:0], sha256.New(), key, data)
	return sum
}

// pad fills a block of SHA-256 with the key and adds a byte to each, and returns it.
func pad(block, key []byte, add byte) []byte {
	block = block[:sha256.BlockSize]
	clear(block)
	copy(block, key)
	for i := range block {
		block[i] ^= add
	}
	return block
}

// MAC384 is MAC with SHA-384.
func MAC384(key []byte, data ...[]byte) (sum [sha512.Size384]byte) {
	within(func() { mac(sum[:0], sha512.New384(), key, data) })
	return sum
}

// mac appends the code by a hash to sum. What the methods of a hash get is on the heap,
// perhaps, and overwritten.
func mac(sum []byte, h hash.Hash, key []byte, data [][]byte) {
	var inner, outer [longestBlock]byte
	defer clear(inner[:])
	defer clear(outer[:])
	if len(key) > h.BlockSize() {
		h.Write(key)
		h.Sum(inner[:0])
		Forget(h)
	} else {
		copy(inner[:], key)
	}
	for i := range inner {
		outer[i] = inner[i] ^ 0x5c
		inner[i] ^= 0x36
	}
	h.Write(inner[:h.BlockSize()])
	for _, d := range data {
		h.Write(d)
	}
	first := h.Sum(inner[:0])
	Forget(h)
	h.Write(outer[:h.BlockSize()])
	h.Write(first)
	h.Sum(sum)
	Forget(h)
}

// Derive fills out with a key for a purpose, made of a secret by HKDF-SHA256 (RFC 5869).
// Both may be in a Buffer, and no other memory holds them afterwards.
func Derive(out, secret, salt []byte, purpose string) {
	within(func() { derive(out, secret, salt, []byte(purpose)) })
}

func derive(out, secret, salt, purpose []byte) {
	key := mac256(salt, [][]byte{secret})
	defer clear(key[:])
	var block [sha256.Size]byte
	defer clear(block[:])
	previous := block[:0]
	for i := byte(1); len(out) > 0; i++ {
		block = mac256(key[:], [][]byte{previous, purpose, {i}})
		previous = block[:]
		out = out[copy(out, block[:]):]
	}
}
