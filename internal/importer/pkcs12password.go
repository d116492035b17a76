// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"fmt"
	"hash"
	"math/big"
	"unicode/utf16"
	"unicode/utf8"
)

// wideText is a password as PKCS #12 has it: two bytes for each character, and two zeros at the end.
func wideText(text []byte) (wide []byte) {
	runes := []rune(string(text))
	if !utf8.Valid(text) {
		runes = runes[:0]
		for _, x := range text { // as OpenSSL takes what is no UTF-8
			runes = append(runes, rune(x))
		}
	}
	for _, unit := range append(utf16.Encode(runes), 0) {
		wide = append(wide, byte(unit>>8), byte(unit))
	}
	return wide
}

// What keys that come from a password are for, in the function of PKCS #12 that makes them.
const (
	forCipher = 1
	forIV     = 2
	forCode   = 3
)

// pkcs12Derivation is what that function takes.
type pkcs12Derivation struct {
	hash       func() hash.Hash
	purpose    byte
	salt       []byte
	iterations int
	size       int
}

// deriveWide is the function of RFC 7292, appendix B.2.
func (p *password) deriveWide(d pkcs12Derivation) []byte {
	h := d.hash()
	block := h.BlockSize()
	diversifier := bytes.Repeat([]byte{d.purpose}, block)
	input := append(repeated(d.salt, block), repeated(p.wide, block)...)
	defer clear(input)
	var out []byte
	for {
		sum := hashed(h, diversifier, input)
		for range d.iterations - 1 {
			sum = hashed(h, sum)
		}
		out = append(out, sum...)
		if len(out) >= d.size {
			return out[:d.size]
		}
		addToBlocks(input, block, repeated(sum, block)[:block])
	}
}

// repeated is b as often as it takes to fill whole blocks, the last time a part of it.
func repeated(b []byte, block int) []byte {
	if len(b) == 0 {
		return nil
	}
	n := (len(b) + block - 1) / block * block
	return bytes.Repeat(b, n/len(b)+1)[:n]
}

func hashed(h hash.Hash, parts ...[]byte) []byte {
	h.Reset()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// addToBlocks adds a number and one to each block, which are numbers, too.
func addToBlocks(blocks []byte, size int, number []byte) {
	n := new(big.Int).SetBytes(number)
	n.Add(n, big.NewInt(1))
	whole := new(big.Int).Lsh(big.NewInt(1), uint(8*size))
	for at := 0; at < len(blocks); at += size {
		sum := new(big.Int).SetBytes(blocks[at : at+size])
		sum.Add(sum, n).Mod(sum, whole).FillBytes(blocks[at : at+size])
	}
}

// pkcs12Cipher is one of the ciphers of PKCS #12 itself, in CBC mode.
type pkcs12Cipher struct {
	key  int // its length
	rc2  bool
	half bool // the last third of the key for triple DES is the first
}

// pkcs12Ciphers are those that are known; RC4, which nobody uses, is not.
var pkcs12Ciphers = map[string]pkcs12Cipher{
	"1.2.840.113549.1.12.1.3": {key: 24},
	"1.2.840.113549.1.12.1.4": {key: 16, half: true},
	"1.2.840.113549.1.12.1.5": {key: 16, rc2: true},
	"1.2.840.113549.1.12.1.6": {key: 5, rc2: true},
}

type pkcs12Parameters struct {
	Salt       []byte
	Iterations int
}

// openPKCS12 undoes one of them.
func (p *password) openPKCS12(c pkcs12Cipher, parameters, sealed []byte) ([]byte, error) {
	var k pkcs12Parameters
	if err := unmarshal(parameters, &k); err != nil {
		return nil, err
	}
	if err := p.spend(2 * k.Iterations); err != nil {
		return nil, err
	}
	key := p.deriveWide(pkcs12Derivation{sha1.New, forCipher, k.Salt, k.Iterations, c.key})
	defer clear(key)
	iv := p.deriveWide(pkcs12Derivation{sha1.New, forIV, k.Salt, k.Iterations, des.BlockSize})
	if len(sealed) == 0 || len(sealed)%des.BlockSize != 0 {
		return nil, fmt.Errorf("%w: no whole blocks", ErrDamaged)
	}
	if c.rc2 {
		return unpadded(newRC2(key).decryptCBC(iv, sealed), sizeRC2)
	}
	block, err := c.tripleDES(key)
	if err != nil {
		return nil, err
	}
	return openCBC(block, iv, sealed)
}

func (c pkcs12Cipher) tripleDES(key []byte) (cipher.Block, error) {
	if c.half {
		key = append(bytes.Clone(key), key[:8]...)
		defer clear(key)
	}
	return des.NewTripleDESCipher(key)
}
