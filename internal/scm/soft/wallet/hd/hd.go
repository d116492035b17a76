// SPDX-License-Identifier: Apache-2.0

// Package hd derives trees of keys: by BIP32 on secp256k1, by SLIP-0010 on P-256, by
// BIP32-Ed25519 or SLIP-0010 for Ed25519. It makes and reads the words in which people keep the seed of
// such a tree: those of BIP39, and the shares of SLIP-0039.
package hd

import (
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Hardened is added to the index of a child that only the private key leads to.
const Hardened uint32 = 1 << 31

// The errors of this package. They come wrapped; use errors.Is.
var (
	ErrCurve    = errors.New("no derivation on this curve")
	ErrHardened = errors.New("needs the private key")
	ErrKey      = errors.New("malformed key")
	ErrMnemonic = errors.New("malformed mnemonic")
	ErrShares   = errors.New("shares do not fit together")
)

// Node is a key in a tree.
type Node struct {
	Curve   scm.Curve
	Private []byte // 32 bytes, 64 in a tree of BIP32-Ed25519; nil when only the public key is known
	Public  []byte // in the form of scm.Key.Public
	Chain   []byte // chain code, 32 bytes
}

// masterKeys are the keys under which a seed becomes the topmost node.
var masterKeys = map[scm.Curve]string{
	scm.Secp256k1: "Bitcoin seed",
	scm.P256:      "Nist256p1 seed",
	scm.Ed25519:   "ed25519 seed",
}

// Master returns the topmost node of the tree that grows from a seed. A generator
// that is not empty takes the place of the standard's constant. ErrCurve.
func Master(c scm.Curve, seed, generator []byte) (Node, error) {
	standard, ok := masterKeys[c]
	if !ok {
		return Node{}, fmt.Errorf("%s: %w", c, ErrCurve)
	}
	if len(generator) == 0 {
		generator = []byte(standard)
	}
	i := authenticate(sha512.New, generator, seed)
	for !isScalar(c, i[:32]) {
		i = authenticate(sha512.New, generator, i)
	}
	return newNode(c, i[:32], i[32:])
}

func newNode(c scm.Curve, private, chain []byte) (Node, error) {
	public, err := publicOf(c, private)
	return Node{c, private, public, chain}, err
}

// Neuter returns the node without its private key.
func (n Node) Neuter() Node {
	n.Private = nil
	return n
}

// Child derives the child with an index, which includes Hardened where it applies.
// ErrHardened for one that only the private key leads to, when there is none; all
// children are such in a tree of SLIP-0010 for Ed25519, where ErrCurve stands for one that
// is not hardened.
func (n Node) Child(index uint32) (Node, error) {
	start, err := n.childData(index)
	if err != nil {
		return Node{}, err
	}
	if n.isCardano() {
		return n.childCardano(index)
	}
	number := binary.BigEndian.AppendUint32(nil, index)
	for i := authenticate(sha512.New, n.Chain, start, number); ; i = authenticate(sha512.New, n.Chain, []byte{1}, i[32:], number) {
		child, err := n.addOffset(i[:32], i[32:])
		if err != errNoChild {
			return child, err
		}
	}
}

// childData is what a child is computed from, besides its index.
func (n Node) childData(index uint32) ([]byte, error) {
	switch {
	case index >= Hardened && n.Private == nil:
		return nil, ErrHardened
	case index >= Hardened:
		return append([]byte{0}, n.Private...), nil
	case n.Curve == scm.Ed25519 && !n.isCardano():
		return nil, fmt.Errorf("child that is not hardened: %w", ErrCurve)
	}
	return n.serial(), nil
}

// errNoChild says that a value, one of 2^127, leads to no child.
var errNoChild = errors.New("no child")

// addOffset returns the child whose private key is the sum of the node's and the offset.
func (n Node) addOffset(offset, chain []byte) (Node, error) {
	if n.Curve == scm.Ed25519 {
		return newNode(n.Curve, offset, chain)
	}
	if !isScalar(n.Curve, offset) {
		return Node{}, errNoChild
	}
	if n.Private == nil {
		public, err := addPoint(n.Curve, n.Public, offset)
		return Node{n.Curve, nil, public, chain}, err
	}
	sum := addScalars(n.Curve, n.Private, offset)
	if !isScalar(n.Curve, sum) {
		return Node{}, errNoChild
	}
	return newNode(n.Curve, sum, chain)
}
