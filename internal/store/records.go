// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"slices"
	"sync"
)

// damage is the list of records that could not be trusted.
type damage struct {
	mu  sync.Mutex
	ids []int64
}

// Records returns all records in ascending order of ID. While the store is
// unlocked, those that are not as the store wrote them are left out; see
// Damaged.
func (s *Store) Records() ([]Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var records []Record
	var damaged []int64
	err := s.file.View(func(tx *sql.Tx) error {
		keys, err := s.keys.current(tx)
		if err != nil {
			return err
		}
		return eachRow(tx, "true", nil, func(w *row) {
			if r, ok := w.record(keys); ok {
				records = append(records, *r)
			} else {
				damaged = append(damaged, w.ID)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	s.damaged.mu.Lock()
	defer s.damaged.mu.Unlock()
	s.damaged.ids = damaged
	return records, nil
}

// Damaged returns the IDs of the records that the last call of Records left out.
func (s *Store) Damaged() []int64 {
	s.damaged.mu.Lock()
	defer s.damaged.mu.Unlock()
	return slices.Clone(s.damaged.ids)
}

// eachRow calls fn with the rows of which a condition with these arguments is true.
func eachRow(tx *sql.Tx, condition string, arguments []any, fn func(*row)) error {
	rows, err := tx.Query("SELECT id, slot, private, sealed, hidden, public, attributes, code, digest FROM records WHERE "+
		condition+" ORDER BY id", arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		w := &row{}
		err := rows.Scan(&w.ID, &w.Slot, &w.Private, &w.Sealed, &w.Hidden, &w.Public, &w.attributes, &w.code, &w.digest)
		if err != nil {
			return err
		}
		fn(w)
	}
	return rows.Err()
}

// Current returns what the store holds now of a record, with its Values: the one of
// its ID or, where that is 0, the one that decorates the same half of its key slot.
// ErrNoRecord also when that is not as the store wrote it; ErrLocked when it is sealed
// and the store is locked.
func (tx *Tx) Current(r *Record) (*Record, error) {
	condition, arguments := "id = ?", []any{r.ID}
	if r.ID == 0 {
		condition, arguments = "slot = ? AND private = ?", []any{r.Slot, r.Private}
	}
	now, err := oneRow(tx.tx, tx.keys, condition, arguments...)
	if err != nil {
		return nil, err
	}
	if err := now.readApart(tx.tx); err != nil {
		return nil, err
	}
	now.Values, err = now.values(tx.keys)
	return &now.Record, err
}

// oneRow returns the row of which a condition with these arguments is true, decoded.
// ErrNoRecord, ErrLocked.
func oneRow(tx *sql.Tx, k *keys, condition string, arguments ...any) (*row, error) {
	var now *row
	err := eachRow(tx, condition, arguments, func(w *row) {
		if _, ok := w.record(k); ok {
			now = w
		}
	})
	switch {
	case err != nil:
		return nil, err
	case now == nil:
		return nil, ErrNoRecord
	case now.Attributes == nil:
		return nil, ErrLocked
	}
	return now, nil
}

func (w *row) readApart(tx *sql.Tx) error {
	return tx.QueryRow("SELECT apart FROM records WHERE id = ?", w.ID).Scan(&w.apart)
}

// Put writes the record. It sets an ID of 0 to one that counts once the
// transaction is committed; one that decorates the same half of a key slot is
// replaced then. ErrLocked when the record is sealed or decorates a key slot and
// the store is locked; ErrNoRecord when there is no record with the ID.
func (tx *Tx) Put(r *Record) error {
	if r.needsKeys() && tx.keys == nil {
		return ErrLocked
	}
	if r.ID != 0 {
		return tx.write(r)
	}
	if err := tx.deleteHalf(r); err != nil {
		return err
	}
	id, err := tx.reserve()
	if err != nil {
		return err
	}
	r.ID = id
	return tx.write(r)
}

// reserve inserts an empty record, because the ID is authenticated too.
func (tx *Tx) reserve() (id int64, err error) {
	result, err := tx.tx.Exec("INSERT INTO records VALUES (NULL, 0, 0, 0, 0, x'', x'', x'', 0, x'', x'', x'')")
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

func (tx *Tx) write(r *Record) error {
	if err := tx.count(); err != nil {
		return err
	}
	if r.Apart && r.Values == nil {
		now, err := tx.Current(&Record{ID: r.ID})
		if err != nil {
			return err
		}
		whole := *r
		whole.Values = now.Values
		r = &whole
	}
	w := newRow(r, tx.keys)
	return found(tx.tx.Exec(`UPDATE records
		SET (slot, private, sealed, hidden, public, attributes, code, revision, digest, terms, apart) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?`,
		w.Slot, w.Private, w.Sealed, w.Hidden, append([]byte{}, w.Public...), w.attributes, w.code, tx.revision, w.digest, []byte{}, w.apart, w.ID))
}

// count gives the transaction its revision.
func (tx *Tx) count() error {
	if tx.revision != 0 {
		return nil
	}
	return tx.tx.QueryRow("UPDATE token SET revision = revision + 1 RETURNING revision").Scan(&tx.revision)
}

// Delete deletes the record with the ID; what was sealed in it is in no file any
// more after the Update. ErrNoRecord.
func (tx *Tx) Delete(id int64) error {
	n, err := tx.delete("id = ?", id)
	if err == nil && n == 0 {
		return ErrNoRecord
	}
	return err
}

// deleteHalf deletes what a new record of half a key slot replaces.
func (tx *Tx) deleteHalf(r *Record) error {
	if r.Slot == NoSlot {
		return nil
	}
	_, err := tx.delete("slot = ? AND private = ?", r.Slot, r.Private)
	return err
}

// DeleteSlot deletes the records that decorate a key slot with a public key, if there
// are any.
func (tx *Tx) DeleteSlot(slot int, public []byte) error {
	_, err := tx.delete("slot = ? AND public = ?", slot, public)
	return err
}

// delete deletes the records of which a condition with these arguments is true, and
// returns how many there were.
func (tx *Tx) delete(condition string, arguments ...any) (int, error) {
	var gone []int64
	err := eachRow(tx.tx, condition, arguments, func(w *row) {
		gone = append(gone, w.ID)
		tx.erases = tx.erases || w.Sealed && w.Slot == NoSlot
	})
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	if err := tx.count(); err != nil {
		return 0, err
	}
	for _, id := range gone {
		if _, err := tx.tx.Exec("DELETE FROM records WHERE id = ?", id); err != nil {
			return 0, err
		}
		if _, err := tx.tx.Exec("INSERT INTO deletions VALUES (?, ?)", tx.revision, id); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

func found(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return ErrNoRecord
	}
	return err
}
