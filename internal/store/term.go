// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"slices"
	"strings"

	"libzk_pkcs11/internal/secret"
)

// Term is an attribute by which a record is found. It must not be a secret: those of
// records that are not sealed can be guessed from the file, and everybody who has the file
// sees which records have a term in common.
type Term struct {
	Type  uint64
	Value []byte
}

// publicNumbers returns the terms of a public record as the file holds them.
func publicNumbers(terms []Term) []int64 {
	return numbers(terms, hashTerm)
}

func hashTerm(kind, value []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(kind)
	h.Write(value)
	h.Sum(sum[:0])
	return sum
}

// sealedNumbers does that for a sealed record: without the secret they tell neither
// type nor value.
func (k *keys) sealedNumbers(terms []Term) []int64 {
	return numbers(terms, k.hashSealedTerm)
}

func (k *keys) hashSealedTerm(kind, value []byte) [sha256.Size]byte {
	return secret.MAC(k.index.Bytes(), kind, value)
}

// numbers cuts hashes: two terms of one number make a candidate that is none, no more.
func numbers(terms []Term, hash func(kind, value []byte) [sha256.Size]byte) []int64 {
	of := make([]int64, len(terms))
	for i, t := range terms {
		sum := hash(binary.BigEndian.AppendUint64(nil, t.Type), t.Value)
		of[i] = int64(binary.BigEndian.Uint64(sum[:]))
	}
	return of
}

// encodeNumbers returns the numbers in ascending order, 8 bytes each. It sorts them.
func encodeNumbers(numbers []int64) []byte {
	slices.Sort(numbers)
	b := make([]byte, 0, 8*len(numbers))
	for _, n := range slices.Compact(numbers) {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func decodeNumbers(b []byte) []int64 {
	numbers := make([]int64, 0, len(b)/8)
	for ; len(b) >= 8; b = b[8:] {
		numbers = append(numbers, int64(binary.BigEndian.Uint64(b)))
	}
	return numbers
}

// terms returns how the file holds the terms of the record. One that decorates a key
// slot is found by its slot alone.
func (r *Record) terms(k *keys) []byte {
	switch {
	case r.Slot != NoSlot:
		return []byte{}
	case r.Sealed:
		return encodeNumbers(k.sealedNumbers(r.Terms))
	}
	return encodeNumbers(publicNumbers(r.Terms))
}

// termsAtOnce bounds the parameters of a statement.
const termsAtOnce = 100

// addTerms gives the record rows in the table of terms.
func addTerms(tx *sql.Tx, id int64, encoded []byte) error {
	for some := range slices.Chunk(decodeNumbers(encoded), termsAtOnce) {
		arguments := make([]any, 0, 2*len(some))
		for _, n := range some {
			arguments = append(arguments, n, id)
		}
		if _, err := tx.Exec(insertTerms(len(some)), arguments...); err != nil {
			return err
		}
	}
	return nil
}

// insertTerms is the statement that adds so many rows.
func insertTerms(n int) string {
	return "INSERT OR IGNORE INTO terms VALUES (?, ?)" + strings.Repeat(", (?, ?)", n-1)
}

// removeTerms takes them out again.
func removeTerms(tx *sql.Tx, id int64, encoded []byte) error {
	for some := range slices.Chunk(decodeNumbers(encoded), termsAtOnce) {
		arguments := []any{id}
		for _, n := range some {
			arguments = append(arguments, n)
		}
		if _, err := tx.Exec(deleteTerms(len(some)), arguments...); err != nil {
			return err
		}
	}
	return nil
}

// deleteTerms is the statement that removes so many rows.
func deleteTerms(n int) string {
	return "DELETE FROM terms WHERE record = ? AND term IN (?" + strings.Repeat(", ?", n-1) + ")"
}
