// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"errors"
)

// ownTable is part of format 3: the keys in the device that were made by way of this token.
// A repeated initialisation destroys these and no others, so the table outlives it. Somebody who can
// write the file without a PIN can destroy keys without it: nothing here is authenticated.
const ownTable = `
CREATE TABLE own (
	slot   INTEGER NOT NULL,
	public BLOB NOT NULL,
	PRIMARY KEY (slot, public)
) STRICT, WITHOUT ROWID;
`

// OwnKey is a key that was made by way of the token.
type OwnKey struct {
	Slot   int
	Public []byte
}

// Own notes that a key is the token's own, until DeleteSlot or Disown.
func (tx *Tx) Own(k OwnKey) error {
	_, err := tx.tx.Exec("INSERT OR REPLACE INTO own VALUES (?, ?)", k.Slot, k.Public)
	return err
}

// Disown takes back what Own has noted.
func (tx *Tx) Disown(keys ...OwnKey) (err error) {
	for _, k := range keys {
		_, failed := tx.tx.Exec("DELETE FROM own WHERE slot = ? AND public = ?", k.Slot, append([]byte{}, k.Public...))
		err = errors.Join(err, failed)
	}
	return err
}

// OwnKeys returns the keys that are the token's own, some of which the device may have lost.
func (s *Store) OwnKeys() (all []OwnKey, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	rows, err := now.tx.Query("SELECT slot, public FROM own ORDER BY slot")
	if err != nil {
		return nil, err
	}
	return scanOwnKeys(rows)
}

func scanOwnKeys(rows *sql.Rows) (all []OwnKey, err error) {
	defer rows.Close()
	for rows.Next() {
		var k OwnKey
		if err := rows.Scan(&k.Slot, &k.Public); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// Stored returns how many records there are that decorate no key slot.
func (s *Store) Stored() (n int, err error) {
	err = s.readRow("SELECT count(*) FROM records WHERE slot = ?", []any{NoSlot}, &n)
	return n, err
}
