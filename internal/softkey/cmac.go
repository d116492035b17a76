// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"

	"libzk_pkcs11/internal/secret"
)

// CMAC begins a code by AES-CMAC (RFC 4493), that is made or checked.
func (k *AES) CMAC() *MAC {
	block, _ := k.ciphers()
	state := &cmac{block: block}
	state.Reset()
	return &MAC{state: state, size: aes.BlockSize}
}

// CMACGeneral is CMAC of which the first size bytes count.
func (k *AES) CMACGeneral(size int) (*MAC, error) { return k.CMAC().shortened(size) }

// cmac is CMAC as a hash.Hash.
type cmac struct {
	block cipher.Block
	chain cipher.BlockMode    // CBC from an IV of zeros
	rest  [aes.BlockSize]byte // the last bytes so far: the last block is another than the rest
	n     int
	room  [32 * aes.BlockSize]byte
}

func (c *cmac) Size() int      { return aes.BlockSize }
func (c *cmac) BlockSize() int { return aes.BlockSize }

func (c *cmac) Reset() {
	var zeros [aes.BlockSize]byte
	c.n = 0
	secret.Do(func() { c.chain = cipher.NewCBCEncrypter(c.block, zeros[:]) }) // it has a copy of the key
}

func (c *cmac) Write(b []byte) (int, error) {
	size := len(b)
	for len(b) > 0 {
		if c.n == aes.BlockSize {
			c.chain.CryptBlocks(c.room[:aes.BlockSize], c.rest[:])
			c.n = 0
		}
		if c.n == 0 {
			b = c.chained(b)
		}
		taken := copy(c.rest[c.n:], b)
		c.n, b = c.n+taken, b[taken:]
	}
	return size, nil
}

// chained takes in all of b but the last block, whole or not, and returns that.
func (c *cmac) chained(b []byte) []byte {
	for len(b) > aes.BlockSize {
		n := min((len(b)-1)/aes.BlockSize*aes.BlockSize, len(c.room))
		c.chain.CryptBlocks(c.room[:n], b[:n])
		b = b[n:]
	}
	return b
}

// Sum ends the message: what is written afterwards begins another only after Reset.
func (c *cmac) Sum(b []byte) []byte {
	var key [aes.BlockSize]byte
	c.block.Encrypt(key[:], key[:])
	double(key[:])
	if c.n < aes.BlockSize {
		double(key[:])
		c.rest[c.n] = 0x80
		clear(c.rest[c.n+1:])
	}
	subtle.XORBytes(c.rest[:], c.rest[:], key[:])
	c.chain.CryptBlocks(c.rest[:], c.rest[:])
	clear(c.room[:])
	return append(b, c.rest[:]...)
}

// double multiplies by x in the field of 2^128 elements.
func double(b []byte) {
	var carry byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i], carry = b[i]<<1|carry, b[i]>>7
	}
	b[len(b)-1] ^= byte(subtle.ConstantTimeSelect(int(carry), 0x87, 0))
}
