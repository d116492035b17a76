// SPDX-License-Identifier: Apache-2.0

package store

import "bytes"

// Sealed reports whether there may be a sealed record without a key slot that has all terms:
// any, for a store that cannot open them, and so cannot tell.
func (s *Store) Sealed(terms []Term) (there bool, err error) {
	if len(terms) == 0 || !s.Unlocked() || !s.keys.now.Load().canOpen() {
		err = s.readRow("SELECT EXISTS (SELECT 1 FROM records WHERE sealed = 1 AND "+string(outOfSlots)+")", nil, &there)
		return there, err
	}
	wanted := &sealedRecord{terms: terms}
	_, _, err = s.Find(terms, wanted.look)
	return wanted.found, err
}

// sealedRecord is one that is looked for among records.
type sealedRecord struct {
	terms []Term
	found bool
}

func (w *sealedRecord) look(r *Record) {
	w.found = w.found || r.Sealed && r.has(w.terms)
}

// has reports whether the attributes of a record have all terms.
func (r *Record) has(terms []Term) bool {
	for _, t := range terms {
		if !bytes.Equal(r.Attributes[t.Type], t.Value) {
			return false
		}
	}
	return true
}
