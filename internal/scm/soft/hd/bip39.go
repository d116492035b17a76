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
	// The seed is a hash of the sentence as it is, which has one blank between words.
	sentence = strings.Join(strings.Fields(norm.NFKD.String(sentence)), " ")
	if _, err := bip39.EntropyFromMnemonic(sentence); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMnemonic, err)
	}
	return bip39.NewSeed(sentence, norm.NFKD.String(passphrase)), nil
}
