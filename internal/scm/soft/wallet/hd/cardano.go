// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"

	"filippo.io/edwards25519"

	"libzk_pkcs11/internal/scm"
)

// extendedSize25519 is the length in bytes of a private key of BIP32-Ed25519: a scalar, and
// what the nonces of signatures are made of. One of SLIP-0010 is a seed of 32 bytes.
const extendedSize25519 = 64

// cardanoKey is the key under which SLIP-0023 makes the topmost node of a seed.
const cardanoKey = "ed25519 cardano seed"

// MasterCardano returns the topmost node of the tree of BIP32-Ed25519 that grows from a seed
// by SLIP-0023. A generator that is not empty takes the place of its constant.
func MasterCardano(seed, generator []byte) Node {
	if len(generator) == 0 {
		generator = []byte(cardanoKey)
	}
	i := authenticate(sha512.New, generator, seed)
	key := sha512.Sum512(i[:32])
	return topCardano(key[:], i[32:])
}

// icarusRounds are those of PBKDF2 by which Icarus makes the topmost node.
const icarusRounds = 4096

// MasterIcarus returns the topmost node of the tree of BIP32-Ed25519 that grows from a BIP39
// sentence, by the scheme of Cardano's wallets since Icarus, as SLIP-0023 tells it.
// ErrMnemonic for unknown words and a wrong checksum.
func MasterIcarus(sentence, passphrase string) (Node, error) {
	entropy, err := entropyOf(sentence)
	if err != nil {
		return Node{}, err
	}
	defer clear(entropy)
	key, err := stretch(sha512.New, passphrase, entropy, icarusRounds, extendedSize25519+32)
	if err != nil {
		return Node{}, err
	}
	return topCardano(key[:extendedSize25519:extendedSize25519], key[extendedSize25519:]), nil
}

// topCardano makes a private key one of a topmost node: a multiple of the cofactor with room
// for what its descendants add.
func topCardano(key, chain []byte) Node {
	key[0] &= 0xf8
	key[31] = key[31]&0x1f | 0x40
	return nodeCardano(key, chain)
}

func nodeCardano(key, chain []byte) Node {
	return Node{scm.Ed25519, key, publicCardano(key[:32]), chain}
}

// publicCardano returns the public key of a scalar.
func publicCardano(scalar []byte) []byte {
	var s edwards25519.Scalar
	defer func() { s = edwards25519.Scalar{} }()
	wide := make([]byte, 64)
	defer clear(wide)
	copy(wide, scalar)
	if _, err := s.SetUniformBytes(wide); err != nil {
		panic(err) // of the length
	}
	return new(edwards25519.Point).ScalarBaseMult(&s).Bytes()
}

// isCardano reports whether children are those of BIP32-Ed25519. A public key alone is taken
// for one of that: SLIP-0010 derives none from it.
func (n Node) isCardano() bool {
	return n.Curve == scm.Ed25519 && (n.Private == nil || len(n.Private) == extendedSize25519)
}

// The first bytes of what BIP32-Ed25519 hashes. For the chain code they are one greater.
const (
	tagHardened = 0
	tagPlain    = 2
)

// childCardano is Child for BIP32-Ed25519.
func (n Node) childCardano(index uint32) (Node, error) {
	tag, start := byte(tagPlain), n.Public
	if index >= Hardened {
		tag, start = tagHardened, n.Private
	}
	number := binary.LittleEndian.AppendUint32(nil, index)
	z := authenticate(sha512.New, n.Chain, []byte{tag}, start, number)
	defer clear(z)
	chain := authenticate(sha512.New, n.Chain, []byte{tag + 1}, start, number)[32:]
	offset := timesEight(z[:28])
	defer clear(offset)
	if n.Private == nil {
		public, err := addPointCardano(n.Public, offset)
		return Node{n.Curve, nil, public, chain}, err
	}
	key := append(addWrapping(offset, n.Private[:32]), addWrapping(z[32:], n.Private[32:])...)
	return nodeCardano(key, chain), nil
}

// timesEight returns a number of 28 bytes, eight times, in 32. The numbers of this file are
// little-endian.
func timesEight(b []byte) []byte {
	product, carry := make([]byte, 32), uint(0)
	for i := range product[:29] {
		digit := carry
		if i < len(b) {
			digit += uint(b[i]) << 3
		}
		product[i], carry = byte(digit), digit>>8
	}
	return product
}

// addWrapping returns the sum of two numbers of 32 bytes without what exceeds these.
func addWrapping(a, b []byte) []byte {
	sum, carry := slices.Clone(a), uint(0)
	for i := range sum {
		digit := uint(a[i]) + uint(b[i]) + carry
		sum[i], carry = byte(digit), digit>>8
	}
	return sum
}

// addPointCardano returns the public key whose private key is greater by the offset.
func addPointCardano(public, offset []byte) ([]byte, error) {
	p, err := new(edwards25519.Point).SetBytes(public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	q, err := new(edwards25519.Point).SetBytes(publicCardano(offset))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return p.Add(p, q).Bytes(), nil
}
