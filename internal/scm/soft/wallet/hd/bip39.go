// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// english are the 2048 words of BIP39, one a line, in their order, which is that of the
// alphabet. They are split when they are needed: nobody who loads the library is to wait
// for them.
//
//go:embed english.txt
var english string

// mnemonicBits is how many bits of a number a word stands for.
const mnemonicBits = 11

// Mnemonic returns the BIP39 sentence of English words for entropy of 16, 20, 24,
// 28 or 32 bytes.
func Mnemonic(entropy []byte) (string, error) {
	n := len(entropy)
	if n < 16 || n > 32 || n%4 != 0 {
		return "", fmt.Errorf("entropy of %d bytes: %w", n, ErrMnemonic)
	}
	words, sentence := strings.Fields(english), make([]string, n/4*3)
	number := checked(entropy)
	for i := range slices.Backward(sentence) {
		sentence[i] = words[lastBits(number, mnemonicBits)]
		number.Rsh(number, mnemonicBits)
	}
	return strings.Join(sentence, " "), nil
}

// checked is entropy as a number, with its checksum of a bit for each 32 behind it.
func checked(entropy []byte) *big.Int {
	sum := sha256.Sum256(entropy)
	bits := uint(len(entropy) / 4)
	number := new(big.Int).SetBytes(entropy)
	number.Lsh(number, bits)
	return number.Or(number, big.NewInt(int64(sum[0]>>(8-bits))))
}

// lastBits are the last bits of a number.
func lastBits(number *big.Int, bits uint) uint64 {
	mask := big.NewInt(1<<bits - 1)
	return mask.And(mask, number).Uint64()
}

// Seed returns the seed of 64 bytes that a BIP39 sentence and a passphrase make,
// however many blanks are around the words. ErrMnemonic for unknown words and a wrong
// checksum.
func Seed(sentence, passphrase string) ([]byte, error) {
	if err := CheckMnemonic(sentence); err != nil {
		return nil, err
	}
	return stretch(sha512.New, normal(sentence), []byte("mnemonic"+norm.NFKD.String(passphrase)), 2048, 64)
}

// CheckMnemonic returns ErrMnemonic for unknown words and a wrong checksum.
func CheckMnemonic(sentence string) error {
	entropy, err := entropyOf(sentence)
	clear(entropy)
	return err
}

// entropyOf undoes Mnemonic. ErrMnemonic for unknown words and a wrong checksum.
func entropyOf(sentence string) ([]byte, error) {
	words, given, number := strings.Fields(english), strings.Fields(normal(sentence)), new(big.Int)
	n := len(given)
	if n < 12 || n > 24 || n%3 != 0 {
		return nil, fmt.Errorf("%d words: %w", n, ErrMnemonic)
	}
	for _, w := range given {
		i, known := slices.BinarySearch(words, w)
		if !known {
			return nil, fmt.Errorf("unknown words, or not in their order: %w", ErrMnemonic)
		}
		number.Lsh(number, mnemonicBits).Or(number, big.NewInt(int64(i)))
	}
	entropy := new(big.Int).Rsh(number, uint(n/3)).FillBytes(make([]byte, n/3*4))
	if checked(entropy).Cmp(number) != 0 {
		return nil, fmt.Errorf("unknown words, or not in their order: %w", ErrMnemonic)
	}
	return entropy, nil
}

// normal is the form of a sentence whose hash is the seed: one blank between words.
func normal(sentence string) string {
	return strings.Join(strings.Fields(norm.NFKD.String(sentence)), " ")
}
