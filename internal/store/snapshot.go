// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"iter"

	"libzk_pkcs11/internal/sharedfile"
)

// snapshot is what a transaction sees of the store.
type snapshot struct {
	tx       *sql.Tx
	keys     *keys  // nil while the store is locked, or has a secret or root of the past
	revision uint64 // counts the transactions that changed records
	floor    uint64 // up to which deletions are forgotten
}

// view is a snapshot of the store that endView ends.
type view struct {
	*snapshot
	store   *Store
	reading *sharedfile.Reading
	taken   *keys
}

// beginView takes a snapshot of the store.
func (s *Store) beginView() (v *view, err error) {
	v = &view{store: s, taken: s.keys.take()}
	defer v.abandonUnlessBegun(&err)
	if v.reading, err = s.file.BeginView(); err != nil {
		return nil, err
	}
	now, err := newSnapshot(v.reading.Tx, v.taken)
	if err != nil {
		return nil, err
	}
	v.snapshot = now
	return v, nil
}

func (v *view) abandonUnlessBegun(err *error) {
	if v.snapshot != nil {
		return
	}
	defer v.store.keys.giveBack(v.taken)
	if v.reading != nil {
		v.reading.End(err)
	}
}

// endView ends a view, and makes err one of the store's file.
func (v *view) endView(err *error) {
	defer v.store.keys.giveBack(v.taken)
	v.reading.End(err)
}

// readRow reads the row that a statement gives.
func (s *Store) readRow(statement string, arguments []any, to ...any) (err error) {
	now, err := s.file.BeginView()
	if err != nil {
		return err
	}
	defer now.End(&err)
	return now.QueryRow(statement, arguments...).Scan(to...)
}

// newSnapshot takes the keys, unless another process has given the token another secret
// or a root since they were derived.
func newSnapshot(tx *sql.Tx, k *keys) (*snapshot, error) {
	now := &snapshot{tx: tx}
	var p prints
	err := tx.QueryRow("SELECT secret_fingerprint, fingerprint, revision, floor FROM token").
		Scan(&p.secret, &p.whole, &now.revision, &now.floor)
	if k != nil && p.equal(k.prints) {
		now.keys = k
	}
	return now, err
}

// condition is which records a statement is about. Each has an index to find them by:
// no call reads the whole table, unless it is asked for all that there is.
type condition string

const (
	byID         condition = "id = ?"
	unindexedOne condition = "id = ? AND terms IS NULL"
	inHalf       condition = "slot = ? AND private = ? AND slot <> -2147483648"
	ofKey        condition = "slot = ? AND public = ? AND slot <> -2147483648"
	outOfSlots   condition = "slot = -2147483648"
	allSealed    condition = "id IN (SELECT id FROM records WHERE sealed = 1)"
	inSlots      condition = "id IN (SELECT id FROM records WHERE slot <> -2147483648)"
	changed      condition = "id IN (SELECT id FROM records WHERE revision > ?)"

	publicWithoutTerms condition = "id IN (SELECT id FROM records WHERE terms IS NULL AND sealed = 0 AND id > ? ORDER BY id LIMIT ?)"
	sealedWithoutTerms condition = "id IN (SELECT id FROM records WHERE terms IS NULL AND sealed = 1 AND id > ? ORDER BY id LIMIT ?)"
)

// inOrder is the order of the rows that a statement returns.
const inOrder = " ORDER BY id"

const selectRows = "SELECT id, slot, private, sealed, hidden, public, attributes, code, digest FROM records WHERE "

// rows are those of which a condition with these arguments is true. An error is the last
// that comes.
func (n *snapshot) rows(c condition, arguments ...any) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		rows, err := n.tx.Query(selectRows+string(c)+inOrder, arguments...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			w := &row{}
			err := rows.Scan(&w.ID, &w.Slot, &w.Private, &w.Sealed, &w.Hidden, &w.Public, &w.attributes, &w.code, &w.digest)
			if !yield(w, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// allRows are those rows at once.
func (n *snapshot) allRows(c condition, arguments ...any) (all []*row, err error) {
	for w, err := range n.rows(c, arguments...) {
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// row returns the row of which a condition is true, nil if there is none.
func (n *snapshot) row(c condition, arguments ...any) (*row, error) {
	all, err := n.allRows(c, arguments...)
	if len(all) == 0 {
		return nil, err
	}
	return all[len(all)-1], nil
}

// record returns the decoded row of which a condition is true. ErrNoRecord also when it
// is not as the store wrote it; ErrLocked.
func (n *snapshot) record(c condition, arguments ...any) (*row, error) {
	w, err := n.row(c, arguments...)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, ErrNoRecord
	}
	if _, ok := w.record(n.keys); !ok {
		return nil, ErrNoRecord
	}
	if w.Attributes == nil {
		return nil, n.keys.missing()
	}
	return w, nil
}

// values returns the values of an acceptable row that are kept apart.
func (n *snapshot) values(w *row) (map[uint64][]byte, error) {
	if len(w.digest) == 0 {
		return nil, nil
	}
	var apart []byte
	if err := n.tx.QueryRow("SELECT apart FROM records WHERE id = ?", w.ID).Scan(&apart); err != nil {
		return nil, err
	}
	return w.values(apart, n.keys)
}

// Record returns the record with an ID, and the revision of the state that it was read
// from. ErrNoRecord also when it is not as the store wrote it; ErrLocked when it is
// sealed and the store is locked.
func (s *Store) Record(id int64) (r *Record, revision uint64, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, 0, err
	}
	defer now.endView(&err)
	w, err := now.record(byID, id)
	if err != nil {
		return nil, now.revision, err
	}
	return &w.Record, now.revision, nil
}

// Values returns the Values of the record with an ID, and unseals nothing else. The
// caller should overwrite those that are secret after use. Errors are those of Record.
func (s *Store) Values(id int64) (values map[uint64][]byte, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	w, err := now.row(byID, id)
	switch {
	case err != nil:
		return nil, err
	case w == nil || !w.acceptable(now.keys):
		return nil, ErrNoRecord
	case w.Sealed && !now.keys.canOpen():
		return nil, now.keys.missing()
	}
	return now.values(w)
}
