// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"math/big"
	"slices"

	"libzk_pkcs11/internal/secret"
)

// CTR begins an encryption or decryption by a stream of blocks that a counter of 1 to 128 bits, the
// lowest ones of a first block of 16 bytes, goes through. A message for which the counter has
// not enough values is ErrLength: no part of the stream is used twice.
func (k *AES) CTR(counterBits int, first []byte) (Stream, error) {
	if counterBits < 1 || counterBits > 8*aes.BlockSize || len(first) != aes.BlockSize {
		return nil, fmt.Errorf("counter of %d bits in %d bytes: %w", counterBits, len(first), ErrParameter)
	}
	block, _ := k.ciphers()
	c := &counter{left: counterRoom(counterBits, first)}
	secret.Do(func() { c.stream = cipher.NewCTR(block, first) }) // it has a copy of the key
	return c, nil
}

// counterRoom is how many bytes can be encrypted before the counter overflows, also one of all 128 bits (section 6.11.3).
func counterRoom(counterBits int, first []byte) uint64 {
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(counterBits))
	value := new(big.Int).SetBytes(first)
	room := value.Sub(modulus, value.Mod(value, modulus))
	room.Lsh(room, 4)
	if !room.IsUint64() {
		return 1<<64 - 1
	}
	return room.Uint64()
}

// counter is the Stream of CTR.
type counter struct {
	stream cipher.Stream
	left   uint64
	ended  bool
}

func (c *counter) WholeSize(n int) int { return n }

func (c *counter) Whole(dst, message []byte) ([]byte, error) {
	dst, err := c.Update(dst, message)
	c.ended = true
	return dst, err
}

func (c *counter) UpdateSize(n int) int { return n }

func (c *counter) Update(dst, part []byte) ([]byte, error) {
	if c.ended {
		return nil, ErrEnded
	}
	if uint64(len(part)) > c.left {
		c.ended = true
		return nil, ErrLength
	}
	c.left -= uint64(len(part))
	part = separated(dst, part)
	n := len(dst)
	dst = slices.Grow(dst, len(part))[:n+len(part)]
	c.stream.XORKeyStream(dst[n:], part)
	return dst, nil
}

func (c *counter) FinalSize() int { return 0 }

func (c *counter) Final(dst []byte) ([]byte, error) {
	if c.ended {
		return nil, ErrEnded
	}
	c.ended = true
	return dst, nil
}
