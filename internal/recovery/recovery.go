// SPDX-License-Identifier: Apache-2.0

// Package recovery makes words of a key, for people who write it down, and a key of words that
// people have typed.
//
// A key has 32 random bytes, and so 24 words of BIP39. Their checksum has eight bits: most
// mistakes are noticed by it, but it does not tell where they are. Somebody who can
// tell whether a key is the right one gets to know that, too.
package recovery

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// Count is how many words a key has.
const Count = 24

// The errors of words. They come wrapped.
var (
	ErrWords = errors.New("these are not the recovery words")
	ErrOther = errors.New("the words are good ones, but not those of this token, or newer ones were made since")
)

// Words are those of a key of 32 bytes.
func Words(key []byte) ([]string, error) {
	sentence, err := hd.Mnemonic(key)
	if err != nil {
		return nil, err
	}
	words := strings.Fields(sentence)
	if len(words) != Count {
		return nil, fmt.Errorf("a key of %d bytes has %d words", len(key), len(words))
	}
	return words, nil
}

// Split takes the words out of a text, with whatever numbers and marks stand between them.
func Split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}

// Key returns the key of words of which opens says that it is the right one. ErrWords and ErrOther say
// where the mistake is, as far as that can be told.
func Key(words []string, opens func(key []byte) bool) ([]byte, error) {
	numbers, err := numbersOf(words)
	if err != nil {
		return nil, err
	}
	key, right := hd.Entropy(numbers)
	switch {
	case right && opens(key):
		return key, nil
	case right:
		clear(key)
		return nil, wrong(ErrOther, numbers, opens)
	}
	return nil, wrong(fmt.Errorf("%w: the checksum is wrong", ErrWords), numbers, opens)
}

// numbersOf returns which words of the list they are.
func numbersOf(words []string) ([]int, error) {
	if len(words) != Count {
		return nil, fmt.Errorf("%w: there are %d, and have to be %d", ErrWords, len(words), Count)
	}
	numbers := make([]int, Count)
	for i, w := range words {
		n, err := hd.Number(w)
		if err != nil {
			return nil, fmt.Errorf("%w: word %d: %w", ErrWords, i+1, err)
		}
		numbers[i] = n
	}
	return numbers, nil
}

// wrong says which word is wrong, if it is only one, or two that have changed places. It tells no
// more than somebody who has the other words finds out by trying.
func wrong(err error, numbers []int, opens func(key []byte) bool) error {
	for i := range numbers {
		for j := range i {
			numbers[i], numbers[j] = numbers[j], numbers[i]
			right := open(numbers, opens)
			numbers[i], numbers[j] = numbers[j], numbers[i]
			if right {
				return fmt.Errorf("%w: words %d and %d have changed places", ErrWords, j+1, i+1)
			}
		}
	}
	for i, n := range numbers {
		for numbers[i] = range hd.Words() {
			if open(numbers, opens) {
				return fmt.Errorf("%w: word %d is another one", ErrWords, i+1)
			}
		}
		numbers[i] = n
	}
	return err
}

// open reports whether the numbers of words are those of the right key.
func open(numbers []int, opens func(key []byte) bool) bool {
	key, right := hd.Entropy(numbers)
	defer clear(key)
	return right && opens(key)
}
