// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	//lint:ignore SA1019 BIP32 is made with it
	"golang.org/x/crypto/ripemd160"

	"libzk_pkcs11/internal/scm"
)

// Extended is a node on secp256k1 with what BIP32 writes beside it: where it is in
// the tree.
type Extended struct {
	Node
	Depth  byte
	Parent [4]byte // fingerprint of the parent
	Index  uint32
}

// MaxDepth is how deep in its tree a key with a serialized form can be.
const MaxDepth = 255

// Versions of the serialized form, for Bitcoin's main network.
const (
	versionPublic  = 0x0488b21e
	versionPrivate = 0x0488ade4
)

// extendedSize is the length in bytes of the serialized form, without checksum.
const extendedSize = 78

// Child is Node.Child that keeps track of the place in the tree.
func (e Extended) Child(index uint32) (Extended, error) {
	n, err := e.Node.Child(index)
	if err == nil && e.Depth == MaxDepth {
		err = fmt.Errorf("depth of more than %d: %w", MaxDepth, ErrKey)
	}
	return Extended{n, e.Depth + 1, e.Fingerprint(), index}, err
}

// Fingerprint returns the first 4 bytes of the hash that BIP32 and SLIP-0010 tell
// keys by.
func (n Node) Fingerprint() [4]byte {
	first := sha256.Sum256(n.serial())
	h := ripemd160.New()
	h.Write(first[:])
	return [4]byte(h.Sum(nil))
}

// String returns the serialized form of BIP32: "xprv..." when there is a private
// key, "xpub..." otherwise.
func (e Extended) String() string {
	version, key := uint32(versionPublic), e.serial()
	if e.Private != nil {
		version, key = versionPrivate, append([]byte{0}, e.Private...)
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 0, extendedSize+4), version)
	b = append(b, e.Depth)
	b = append(b, e.Parent[:]...)
	b = binary.BigEndian.AppendUint32(b, e.Index)
	b = append(b, e.Chain...)
	b = append(b, key...)
	return encodeBase58(append(b, checksum(b)...))
}

// ParseExtended reads what String returns. ErrKey for everything else.
func ParseExtended(s string) (Extended, error) {
	b, ok := decodeBase58(s, extendedSize+4)
	if !ok || !bytes.Equal(checksum(b[:extendedSize]), b[extendedSize:]) {
		return Extended{}, fmt.Errorf("extended key: %w", ErrKey)
	}
	e := Extended{Depth: b[4], Parent: [4]byte(b[5:9]), Index: binary.BigEndian.Uint32(b[9:])}
	if e.Depth == 0 && (e.Parent != [4]byte{} || e.Index != 0) {
		return Extended{}, fmt.Errorf("topmost extended key with a parent: %w", ErrKey)
	}
	var err error
	e.Node, err = parseNode(binary.BigEndian.Uint32(b), b[13:45], b[45:extendedSize])
	return e, err
}

func parseNode(version uint32, chain, key []byte) (Node, error) {
	switch version {
	case versionPrivate:
		if key[0] != 0 || !isScalar(scm.Secp256k1, key[1:]) {
			return Node{}, fmt.Errorf("extended private key: %w", ErrKey)
		}
		return newNode(scm.Secp256k1, key[1:], chain)
	case versionPublic:
		p, err := secp256k1.ParsePubKey(key)
		if err != nil {
			return Node{}, fmt.Errorf("extended public key: %w: %w", ErrKey, err)
		}
		return Node{scm.Secp256k1, nil, p.SerializeUncompressed()[1:], chain}, nil
	}
	return Node{}, fmt.Errorf("extended key of version %#x: %w", version, ErrKey)
}

func checksum(b []byte) []byte {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return second[:4]
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func encodeBase58(b []byte) string {
	n, digit, radix := new(big.Int).SetBytes(b), new(big.Int), big.NewInt(58)
	var reversed []byte
	for n.Sign() > 0 {
		n.DivMod(n, radix, digit)
		reversed = append(reversed, base58[digit.Int64()])
	}
	var s strings.Builder
	for i := 0; i < len(b) && b[i] == 0; i++ {
		s.WriteByte(base58[0])
	}
	for i := len(reversed) - 1; i >= 0; i-- {
		s.WriteByte(reversed[i])
	}
	return s.String()
}

// decodeBase58 reads a number, and reports whether it is one that has size bytes.
func decodeBase58(s string, size int) ([]byte, bool) {
	n, radix := new(big.Int), big.NewInt(58)
	if len(s) > 2*size {
		return nil, false
	}
	for _, r := range s {
		digit := strings.IndexRune(base58, r)
		if digit < 0 {
			return nil, false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(digit)))
	}
	if (n.BitLen()+7)/8 > size {
		return nil, false
	}
	b := n.FillBytes(make([]byte, size))
	return b, encodeBase58(b) == s
}
