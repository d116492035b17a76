// SPDX-License-Identifier: Apache-2.0

package store

import "database/sql"

// snapshot is what a transaction sees of the store.
type snapshot struct {
	tx       *sql.Tx
	keys     *keys  // nil while the store is locked, or has a secret or root of the past
	revision uint64 // counts the transactions that changed records
	floor    uint64 // up to which deletions are forgotten
}

// view calls fn with the state of the store.
func (s *Store) view(fn func(*snapshot) error) error {
	k := s.keys.take()
	defer s.keys.giveBack(k)
	return s.file.View(func(tx *sql.Tx) error {
		now, err := newSnapshot(tx, k)
		if err != nil {
			return err
		}
		return fn(now)
	})
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
	byID             condition = "id = ?"
	unindexedOne     condition = "id = ? AND terms IS NULL"
	inHalf           condition = "slot = ? AND private = ? AND slot <> -2147483648"
	ofKey            condition = "slot = ? AND public = ? AND slot <> -2147483648"
	outOfSlots       condition = "slot = -2147483648"
	allSealed        condition = "id IN (SELECT id FROM records WHERE sealed = 1)"
	inSlots          condition = "id IN (SELECT id FROM records WHERE slot <> -2147483648)"
	changed          condition = "id IN (SELECT id FROM records WHERE revision > ?)"
	nextWithoutTerms condition = "id IN (SELECT id FROM records WHERE terms IS NULL AND sealed = ? AND id > ? ORDER BY id LIMIT ?)"
)

// inOrder is the order of the rows that a statement returns.
const inOrder = " ORDER BY id"

const selectRows = "SELECT id, slot, private, sealed, hidden, public, attributes, code, digest FROM records WHERE "

// each calls fn with the rows of which a condition with these arguments is true.
func (n *snapshot) each(c condition, fn func(*row) error, arguments ...any) error {
	rows, err := n.tx.Query(selectRows+string(c)+inOrder, arguments...)
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
		if err := fn(w); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row returns the row of which a condition is true, nil if there is none.
func (n *snapshot) row(c condition, arguments ...any) (found *row, err error) {
	err = n.each(c, func(w *row) error {
		found = w
		return nil
	}, arguments...)
	return found, err
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
	err = s.view(func(now *snapshot) error {
		revision = now.revision
		w, err := now.record(byID, id)
		if err == nil {
			r = &w.Record
		}
		return err
	})
	return r, revision, err
}

// Values returns the Values of the record with an ID, and unseals nothing else. The
// caller should overwrite those that are secret after use. Errors are those of Record.
func (s *Store) Values(id int64) (values map[uint64][]byte, err error) {
	err = s.view(func(now *snapshot) error {
		w, err := now.row(byID, id)
		switch {
		case err != nil:
			return err
		case w == nil || !w.acceptable(now.keys):
			return ErrNoRecord
		case w.Sealed && !now.keys.canOpen():
			return now.keys.missing()
		}
		values, err = now.values(w)
		return err
	})
	return values, err
}
