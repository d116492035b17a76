// SPDX-License-Identifier: Apache-2.0

package store

// reindexAtOnce is how many records Reindex writes in one transaction, so that others
// that write need not wait for all of them.
const reindexAtOnce = 256

// Reindex gives the records that have no terms yet, because version 0.1.0 wrote them,
// to complete, which fills Terms and moves attributes to Values. Sealed records get
// theirs only while the store is unlocked; in a locked one, public records that an
// unlocked store wrote get terms and keep their attributes. Until then Find takes them
// for candidates. What a record says does not change by that, and nor does its revision.
//
// When there is nothing to do it costs a look. A read-only store does nothing. complete
// must not call methods of the store.
func (s *Store) Reindex(complete func(*Record) error) error {
	if s.ReadOnly() {
		return nil
	}
	if err := s.reindexThose(publicWithoutTerms, complete); err != nil {
		return err
	}
	return s.reindexThose(sealedWithoutTerms, complete)
}

// reindexThose reindexes the records of which a condition is true.
func (s *Store) reindexThose(c condition, complete func(*Record) error) error {
	for last := int64(0); ; {
		next, err := s.unindexed(c, last)
		if err != nil || len(next) == 0 {
			return err
		}
		last = next[len(next)-1].ID
		if err := s.completeAll(next, complete); err != nil {
			return err
		}
	}
}

// unindexed returns the next rows after an ID of which a condition is true.
func (s *Store) unindexed(c condition, after int64) (next []*row, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	if c == sealedWithoutTerms && !now.keys.canOpen() {
		return nil, nil
	}
	return now.allRows(c, after, reindexAtOnce)
}

// completeAll completes those rows that are still as they were found. Damaged ones stay,
// and are no reason to write.
func (s *Store) completeAll(rows []*row, complete func(*Record) error) error {
	k := s.keys.take()
	defer s.keys.giveBack(k)
	todo := &completion{complete: complete}
	for _, w := range rows {
		if w.acceptable(k) {
			todo.ids = append(todo.ids, w.ID)
		}
	}
	if len(todo.ids) == 0 {
		return nil
	}
	_, err := s.Update(todo.execute)
	return err
}

// completion is the completing of records.
type completion struct {
	ids      []int64
	complete func(*Record) error
}

func (c *completion) execute(tx *Tx) error {
	for _, id := range c.ids {
		if err := tx.complete(id, c.complete); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) complete(id int64, complete func(*Record) error) error {
	w, err := tx.row(unindexedOne, id)
	if err != nil || w == nil {
		return err
	}
	r, ok := w.record(tx.keys)
	if !ok || r.Attributes == nil {
		return nil
	}
	if err := complete(r); err != nil {
		return err
	}
	return tx.writeComplete(w)
}

// writeComplete writes the terms of a row and, unless that takes its code from it, its
// attributes in two parts. A row without a code gets none: anybody may have written it.
func (tx *Tx) writeComplete(w *row) error {
	terms := w.terms(tx.keys)
	if err := addTerms(tx.tx, w.ID, terms); err != nil {
		return err
	}
	k := tx.keys
	if w.Authentic && k == nil {
		_, err := tx.tx.Exec("UPDATE records SET terms = ? WHERE id = ?", terms, w.ID)
		return err
	}
	if !w.Authentic {
		k = nil
	}
	apart, digest := w.encodeValues(k)
	if w.Sealed {
		w.eraseValues()
	}
	return tx.update(newRow(&w.Record, digest, k), apart, terms, 0)
}
