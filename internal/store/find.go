// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"slices"
	"strings"
)

// Find calls fn with candidates among the records without a key slot, in ascending
// order of ID: all that have all terms are among them, and others may be. Without terms
// these are all records. A locked store skips those that are sealed. fn must not call
// methods of the store.
//
// It returns the revision of the state that it has read, and the IDs of candidates that
// are not as the store wrote them.
func (s *Store) Find(terms []Term, fn func(*Record)) (revision uint64, damaged []int64, err error) {
	now, err := s.beginView()
	if err != nil {
		return 0, nil, err
	}
	defer now.endView(&err)
	c, arguments, err := now.candidates(terms)
	if err != nil {
		return now.revision, nil, err
	}
	for w, err := range now.rows(c, arguments...) {
		switch {
		case err != nil:
			return now.revision, damaged, err
		case w.Sealed && !now.keys.canOpen():
			continue
		}
		if r, ok := w.record(now.keys); ok {
			fn(r)
		} else {
			damaged = append(damaged, w.ID)
		}
	}
	return now.revision, damaged, nil
}

// candidates returns the condition of records that may have all terms: public ones that
// have them, sealed ones that have them, and those that are not indexed yet.
func (n *snapshot) candidates(terms []Term) (condition, []any, error) {
	if len(terms) == 0 {
		return outOfSlots, nil, nil
	}
	kinds := [][]int64{publicNumbers(terms)}
	if n.keys.canOpen() {
		kinds = append(kinds, n.keys.sealedNumbers(terms))
	}
	if err := n.rarestFirst(kinds); err != nil {
		return "", nil, err
	}
	most := min(len(terms), maxTerms)
	var arguments []any
	for _, numbers := range kinds {
		for _, number := range numbers[:most] {
			arguments = append(arguments, number)
		}
	}
	arguments = append(arguments, n.keys.canOpen())
	return withTerms(most, len(kinds)), arguments, nil
}

// maxTerms is how many terms a candidate has, of more: a statement has its limits.
const maxTerms = 16

// withTerms is the condition for sets of so many terms each, and for records that are not
// indexed yet, sealed ones too if the last argument is true.
func withTerms(terms, sets int) condition {
	one := "SELECT record FROM terms AS first WHERE term = ?" +
		strings.Repeat(" AND EXISTS (SELECT 1 FROM terms WHERE term = ? AND record = first.record)", terms-1)
	return condition("id IN (" + strings.Repeat(one+" UNION ALL ", sets) +
		"SELECT id FROM records WHERE terms IS NULL AND sealed <= ?) AND slot = -2147483648")
}

// rarestFirst orders terms of each kind by the number of records that have them, for
// those of the first are looked at one by one. Terms of many records stay in the order of
// the caller.
func (n *snapshot) rarestFirst(kinds [][]int64) error {
	if len(kinds[0]) < 2 {
		return nil
	}
	rarity, err := n.raritiesOf(slices.Concat(kinds...))
	if err != nil {
		return err
	}
	for _, numbers := range kinds {
		slices.SortStableFunc(numbers, rarity.compare)
	}
	return nil
}

// raritiesOf counts the records of each term.
func (n *snapshot) raritiesOf(numbers []int64) (rarities, error) {
	counts := make([]int, len(numbers))
	arguments, results := make([]any, len(numbers)), make([]any, len(numbers))
	for i := range numbers {
		arguments[i], results[i] = numbers[i], &counts[i]
	}
	if err := n.tx.QueryRow(countTerms(len(numbers)), arguments...).Scan(results...); err != nil {
		return nil, err
	}
	rarity := make(rarities, len(numbers))
	for i, number := range numbers {
		rarity[number] = counts[i]
	}
	return rarity, nil
}

// rarities are how many records have a term, by its number.
type rarities map[int64]int

func (r rarities) compare(a, b int64) int { return cmp.Compare(r[a], r[b]) }

// countTerms is the statement that counts the records of so many terms, up to 256 each.
func countTerms(terms int) string {
	one := ", (SELECT count(*) FROM (SELECT 1 FROM terms WHERE term = ? LIMIT 256))"
	return "SELECT " + strings.Repeat(one, terms)[2:]
}
