// SPDX-License-Identifier: Apache-2.0

package store

import "database/sql"

// Changes is what has become of the records since a revision.
type Changes struct {
	Revision uint64   // of the state that this describes
	Whole    bool     // what was known before is void: Slots has all records of key slots
	Slots    []Record // records that decorate key slots, new or changed since
	Changed  []int64  // IDs of other records, new or changed since; empty when Whole
	Deleted  []int64  // IDs of records of both kinds that are gone since; empty when Whole
	Damaged  []int64  // IDs of records that belong in Slots and are not as the store wrote them; while unlocked
}

// ChangesSince returns what has changed since a revision that it returned before, or
// everything for 0. IDs are in ascending order.
func (s *Store) ChangesSince(revision uint64) (*Changes, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Changes{}
	err := s.file.View(func(tx *sql.Tx) error {
		keys, err := s.keys.current(tx)
		if err != nil {
			return err
		}
		var floor uint64
		if err := tx.QueryRow("SELECT revision, floor FROM token").Scan(&c.Revision, &floor); err != nil {
			return err
		}
		if c.Whole = revision < floor || revision > c.Revision; c.Whole {
			revision = 0
		}
		err = eachRow(tx, "revision > ?", []any{revision}, func(w *row) {
			if w.Slot == NoSlot {
				if !c.Whole {
					c.Changed = append(c.Changed, w.ID)
				}
			} else if r, ok := w.record(keys); ok {
				c.Slots = append(c.Slots, *r)
			} else {
				c.Damaged = append(c.Damaged, w.ID)
			}
		})
		if err != nil || c.Whole {
			return err
		}
		rows, err := tx.Query("SELECT record FROM deletions WHERE revision > ? ORDER BY record", revision)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			c.Deleted = append(c.Deleted, id)
		}
		return rows.Err()
	})
	return c, err
}
