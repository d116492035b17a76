// SPDX-License-Identifier: Apache-2.0

package store

// Changes is what has become of the records since a revision.
type Changes struct {
	Revision uint64   // of the state that this describes
	Whole    bool     // what was known before is void: Slots has all records of key slots
	Slots    []Record // records that decorate key slots, new or changed since
	Changed  []int64  // IDs of other records, new or changed since; empty when Whole
	Deleted  []int64  // IDs of records of both kinds that are gone since; empty when Whole
	Damaged  []int64  // IDs of records that belong in Slots and are not as the store wrote them
}

// ChangesSince returns what has changed since the Revision of an earlier answer, or with
// 0 everything. A record has changed when Put has written it, not when the store has been
// locked or unlocked; records and IDs come in ascending order.
func (s *Store) ChangesSince(revision uint64) (c *Changes, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	c = &Changes{Revision: now.revision}
	switch {
	case revision < now.floor || revision > now.revision:
		c.Whole = true
		return c, c.addRows(now.snapshot, inSlots)
	case revision == now.revision:
		return c, nil
	}
	if err := c.addRows(now.snapshot, changed, revision); err != nil {
		return c, err
	}
	return c, now.deletions(revision, &c.Deleted)
}

// addRows adds the rows of which a condition with these arguments is true.
func (c *Changes) addRows(now *snapshot, which condition, arguments ...any) error {
	for w, err := range now.rows(which, arguments...) {
		if err != nil {
			return err
		}
		c.add(w, now.keys)
	}
	return nil
}

func (c *Changes) add(w *row, k *keys) {
	if w.Slot == NoSlot {
		c.Changed = append(c.Changed, w.ID)
	} else if r, ok := w.record(k); ok {
		c.Slots = append(c.Slots, *r)
	} else {
		c.Damaged = append(c.Damaged, w.ID)
	}
}

const deletionsSince = "SELECT record FROM deletions WHERE revision > ? ORDER BY record"

func (n *snapshot) deletions(revision uint64, to *[]int64) error {
	rows, err := n.tx.Query(deletionsSince, revision)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		*to = append(*to, id)
	}
	return rows.Err()
}
