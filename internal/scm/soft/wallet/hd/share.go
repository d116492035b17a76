// SPDX-License-Identifier: Apache-2.0

package hd

import (
	_ "embed"
	"fmt"
	"math/big"
	"strings"
)

// Share is one part of a secret that was split by SLIP-0039. The numbers are those
// that people count with: thresholds and counts from 1, indices from 0.
type Share struct {
	ID              int  // random, 15 bits, the same for all shares of a secret
	Extendable      bool // ID is not part of what encrypts the secret
	Exponent        int  // the more, the longer the secret takes to decrypt
	Group           int
	GroupThreshold  int
	GroupCount      int
	Member          int
	MemberThreshold int
	Value           []byte
}

// A share is a number of words of 10 bits each: four of parameters, the value with
// zero bits before it, three of a checksum.
const (
	wordBits      = 10
	parameterBits = 40
	checksumWords = 3
	minValue      = 16 // bytes
)

// shareWords is the list of words that SLIP-0039 prescribes, one a line.
//
//go:embed slip39.txt
var shareWords string

// wordList returns the 1024 words of SLIP-0039 in their order.
func wordList() []string { return strings.Fields(shareWords) }

// parameters are the fields of a share and their widths in bits, from left to
// right. Each is stored less by the number given.
func (s *Share) parameters() []struct {
	field       *int
	bits, under int
} {
	return []struct {
		field       *int
		bits, under int
	}{
		{&s.Exponent, 4, 0},
		{&s.Group, 4, 0},
		{&s.GroupThreshold, 4, 1},
		{&s.GroupCount, 4, 1},
		{&s.Member, 4, 0},
		{&s.MemberThreshold, 4, 1},
	}
}

// String returns the share as a sentence of English words.
func (s Share) String() string {
	n := big.NewInt(int64(s.ID))
	n.Lsh(n, 1)
	if s.Extendable {
		n.SetBit(n, 0, 1)
	}
	for _, p := range s.parameters() {
		n.Lsh(n, uint(p.bits))
		n.Or(n, big.NewInt(int64(*p.field-p.under)))
	}
	valueWords := (len(s.Value)*8 + wordBits - 1) / wordBits
	n.Lsh(n, uint(valueWords*wordBits))
	n.Or(n, new(big.Int).SetBytes(s.Value))
	indices := make([]int, parameterBits/wordBits+valueWords)
	for i := len(indices) - 1; i >= 0; i-- {
		indices[i] = int(n.Uint64() & (1<<wordBits - 1))
		n.Rsh(n, wordBits)
	}
	indices = append(indices, s.checksum(indices)...)
	list, words := wordList(), make([]string, len(indices))
	for i, index := range indices {
		words[i] = list[index]
	}
	return strings.Join(words, " ")
}

// ParseShare reads what String returns. ErrMnemonic for everything else.
func ParseShare(sentence string) (Share, error) {
	indices, err := indicesOf(sentence)
	if err != nil {
		return Share{}, err
	}
	var s Share
	s.Extendable = indices[1]>>4&1 == 1
	if polymod(s.customization(), indices) != 1 {
		return Share{}, fmt.Errorf("share with a wrong checksum: %w", ErrMnemonic)
	}
	n := new(big.Int)
	for _, index := range indices[:len(indices)-checksumWords] {
		n.Lsh(n, wordBits)
		n.Or(n, big.NewInt(int64(index)))
	}
	valueBits := len(indices)*wordBits - parameterBits - checksumWords*wordBits
	return s, s.readFields(n, valueBits)
}

// readFields takes the fields out of the number that the words make.
func (s *Share) readFields(n *big.Int, valueBits int) error {
	padding := valueBits % 16
	size := (valueBits - padding) / 8
	value := new(big.Int).And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(valueBits)), big.NewInt(1)))
	if padding > 8 || size < minValue || value.BitLen() > size*8 {
		return fmt.Errorf("share with wrong padding: %w", ErrMnemonic)
	}
	s.Value = value.FillBytes(make([]byte, size))
	head := n.Rsh(n, uint(valueBits)).Uint64()
	fields := s.parameters()
	for i := len(fields) - 1; i >= 0; i-- {
		f := fields[i]
		*f.field = int(head&(1<<f.bits-1)) + f.under
		head >>= f.bits
	}
	s.ID = int(head >> 1)
	if s.GroupThreshold > s.GroupCount {
		return fmt.Errorf("share of %d groups with a threshold of %d: %w", s.GroupCount, s.GroupThreshold, ErrMnemonic)
	}
	return nil
}

func indicesOf(sentence string) ([]int, error) {
	words := strings.Fields(strings.ToLower(sentence))
	if len(words) < parameterBits/wordBits+checksumWords+(minValue*8+wordBits-1)/wordBits {
		return nil, fmt.Errorf("share of %d words: %w", len(words), ErrMnemonic)
	}
	positions := make(map[string]int)
	for i, word := range wordList() {
		positions[word] = i
	}
	indices := make([]int, len(words))
	for i, word := range words {
		index, ok := positions[word]
		if !ok {
			return nil, fmt.Errorf("word %d of the share is not in the list: %w", i+1, ErrMnemonic)
		}
		indices[i] = index
	}
	return indices, nil
}

func (s Share) customization() string {
	if s.Extendable {
		return "shamir_extendable"
	}
	return "shamir"
}

// checksum returns the three words that make the polynomial of all words 1.
func (s Share) checksum(indices []int) []int {
	n := polymod(s.customization(), append(append([]int(nil), indices...), 0, 0, 0)) ^ 1
	return []int{int(n >> 20 & 1023), int(n >> 10 & 1023), int(n & 1023)}
}

// polymod is the Reed-Solomon code of SLIP-0039 over GF(1024).
func polymod(customization string, indices []int) uint32 {
	generators := [...]uint32{
		0xe0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009,
		0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x3f3f120,
	}
	sum := uint32(1)
	step := func(value uint32) {
		top := sum >> 20
		sum = sum&0xfffff<<10 ^ value
		for i, g := range generators {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range []byte(customization) {
		step(uint32(c))
	}
	for _, index := range indices {
		step(uint32(index))
	}
	return sum
}
