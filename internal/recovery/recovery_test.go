// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// zeros are the words of a key of zeros, as BIP39's test vectors have them.
var zeros = strings.Repeat("abandon ", 23) + "art"

func TestWords(t *testing.T) {
	key := make([]byte, 32)
	words, err := Words(key)
	if err != nil || strings.Join(words, " ") != zeros {
		t.Errorf("%q, %v", words, err)
	}
	if _, err := Words(key[:16]); err == nil {
		t.Error("a short key has words")
	}
}

// numbered is a text as people copy it from what was shown.
const numbered = " 1 Legal    2 winner\n 3. thank; 4: year"

func TestSplit(t *testing.T) {
	if got := Split(numbered); !slices.Equal(got, []string{"Legal", "winner", "thank", "year"}) {
		t.Errorf("%q", got)
	}
}

// TestKey: each kind of mistake is told from the others, with its place where that can be told.
func TestKey(t *testing.T) {
	key := bytes.Repeat([]byte{0x5a, 3}, 16)
	right, err := Words(key)
	if err != nil {
		t.Fatal(err)
	}
	opens := func(k []byte) bool { return bytes.Equal(k, key) }
	with := func(change func(words []string)) []string {
		words := slices.Clone(right)
		change(words)
		return words
	}
	for _, tt := range []struct {
		name  string
		words []string
		is    error
		says  string
	}{
		{"too few", right[1:], ErrWords, "there are 23, and have to be 24"},
		{"none", nil, ErrWords, "there are 0"},
		{"no word", with(func(w []string) { w[4] = "abandn" }), ErrWords, `word 5: "abandn" is no word of BIP39 (abandon?)`},
		{"one wrong", with(func(w []string) { w[6] = "zoo" }), ErrWords, "word 7 is another one"},
		{"the last wrong", with(func(w []string) { w[23] = "abandon" }), ErrWords, "word 24 is another one"},
		{"swapped", with(func(w []string) { w[0], w[1] = w[1], w[0] }), ErrWords, "words 1 and 2 have changed places"},
		{"two wrong", with(func(w []string) { w[6], w[9] = "zoo", "zebra" }), ErrWords, "the checksum is wrong"},
		{"those of another token", strings.Fields(zeros), ErrOther, "not those of this token"},
	} {
		got, err := Key(tt.words, opens)
		if got != nil || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %x, %v", tt.name, got, err)
		}
	}
	shouted := Split(strings.ToUpper(strings.Join(right, ", ")))
	if got, err := Key(shouted, opens); err != nil || !bytes.Equal(got, key) {
		t.Errorf("right: %x, %v", got, err)
	}
}
