// SPDX-License-Identifier: Apache-2.0

package store

import "errors"

// resealAll seals every private record under other keys. What is damaged stays as it is, and
// what a record says, and its revision, do not change.
func resealAll(now *snapshot, next *keys, complete func(*Record) error) error {
	rows, err := now.allRows(allSealed)
	if err != nil {
		return err
	}
	for _, w := range rows {
		if err := reseal(now, w, next, complete); err != nil {
			return err
		}
	}
	return nil
}

// reseal writes one record anew, its terms too, for they are hashed by a key.
func reseal(now *snapshot, w *row, next *keys, complete func(*Record) error) error {
	var before []byte
	if err := now.tx.QueryRow("SELECT terms FROM records WHERE id = ?", w.ID).Scan(&before); err != nil {
		return err
	}
	r, ok := w.record(now.keys)
	if !ok {
		return nil
	}
	values, err := now.values(w)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return err
	}
	r.Values = values
	if err := complete(r); err != nil {
		return err
	}
	apart, digest := w.encodeValues(next)
	defer w.eraseValues()
	if err != nil { // the values alone are damaged, and stay so
		apart, digest = nil, w.digest
	}
	tx, terms := &Tx{snapshot: now}, r.terms(next)
	if err := tx.update(newRow(r, digest, next), apart, terms, 0); err != nil {
		return err
	}
	return tx.index(r.ID, before, terms)
}
