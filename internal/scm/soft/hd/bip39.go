// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39"
	"golang.org/x/text/unicode/norm"
)

// Mnemonic returns the BIP39 sentence of English words for entropy of 16, 20, 24,
// 28 or 32 bytes.
func Mnemonic(entropy []byte) (string, error) {
	sentence, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMnemonic, err)
	}
	return sentence, nil
}

// Seed returns the seed of 64 bytes that a BIP39 sentence and a passphrase make,
// however many blanks are around the words. ErrMnemonic for unknown words and a wrong
// checksum.
func Seed(sentence, passphrase string) ([]byte, error) {
	if err := CheckMnemonic(sentence); err != nil {
		return nil, err
	}
	return bip39.NewSeed(normal(sentence), norm.NFKD.String(passphrase)), nil
}

// CheckMnemonic answers ErrMnemonic for unknown words and a wrong checksum.
func CheckMnemonic(sentence string) error {
	if _, err := bip39.EntropyFromMnemonic(normal(sentence)); err != nil {
		return fmt.Errorf("unknown words, or not in their order: %w", ErrMnemonic)
	}
	return nil
}

// normal is the form of a sentence whose hash is the seed: one blank between words.
func normal(sentence string) string {
	return strings.Join(strings.Fields(norm.NFKD.String(sentence)), " ")
}
