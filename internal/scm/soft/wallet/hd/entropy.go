// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Words are the 2048 words of BIP39, in the order of their numbers.
func Words() []string { return strings.Fields(english) }

// Entropy undoes Mnemonic, of the numbers of 24 words. It reports whether their checksum is right.
func Entropy(numbers []int) (entropy []byte, right bool) {
	sentence, bits := new(big.Int), uint(len(numbers)/3)
	for _, n := range numbers {
		sentence.Lsh(sentence, mnemonicBits).Or(sentence, big.NewInt(int64(n)))
	}
	entropy = new(big.Int).Rsh(sentence, bits).FillBytes(make([]byte, len(numbers)/3*4))
	return entropy, checked(entropy).Cmp(sentence) == 0
}

// Number is that of a word of BIP39, whose case does not matter. ErrMnemonic names those that begin as it does.
func Number(word string) (int, error) {
	words, word := Words(), strings.ToLower(word)
	n, known := slices.BinarySearch(words, word)
	if known {
		return n, nil
	}
	return 0, fmt.Errorf("%q is no word of BIP39%s: %w", word, alike(words, word), ErrMnemonic)
}

// prefix is how many letters tell a word of BIP39 from all others.
const prefix = 4

// alike tells which words begin as one that is none.
func alike(words []string, word string) string {
	for n := min(prefix, len(word)); n > 1; n-- {
		var some []string
		for _, w := range words {
			if strings.HasPrefix(w, word[:n]) {
				some = append(some, w)
			}
		}
		if len(some) > 0 {
			return " (" + strings.Join(some[:min(5, len(some))], ", ") + "?)"
		}
	}
	return ""
}
