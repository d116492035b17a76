// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
)

// Sealed tells whether there may be a sealed record without a key slot that has all terms:
// any, for a store that cannot open them, and so cannot tell.
func (s *Store) Sealed(terms []Term) (there bool, err error) {
	if len(terms) == 0 || !s.Unlocked() || !s.keys.now.Load().canOpen() {
		err = s.file.View(func(tx *sql.Tx) error {
			return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM records WHERE sealed = 1 AND " + string(outOfSlots) + ")").Scan(&there)
		})
		return there, err
	}
	_, _, err = s.Find(terms, func(r *Record) { there = there || r.Sealed && r.has(terms) })
	return there, err
}

// has tells whether the attributes of a record have all terms.
func (r *Record) has(terms []Term) bool {
	for _, t := range terms {
		if !bytes.Equal(r.Attributes[t.Type], t.Value) {
			return false
		}
	}
	return true
}
