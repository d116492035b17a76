// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
	"errors"
)

// Current returns what the store holds now of a record, with its Values: the one of
// its ID or, where that is 0, the one that decorates the same half of its key slot.
// ErrNoRecord also when that is not as the store wrote it; ErrLocked when it is sealed
// and the store is locked.
func (tx *Tx) Current(r *Record) (*Record, error) {
	w, err := tx.current(r)
	if err != nil {
		return nil, err
	}
	w.Values, err = tx.values(w)
	return &w.Record, err
}

func (tx *Tx) current(r *Record) (*row, error) {
	if r.ID == 0 {
		return tx.record(inHalf, r.Slot, r.Private)
	}
	return tx.record(byID, r.ID)
}

// Put writes the record. It sets an ID of 0 to one that counts once the
// transaction is committed; one that decorates the same half of a key slot is
// replaced then. ErrLocked when the record is sealed or decorates a key slot and
// the store is locked; ErrRoot when it is sealed and the root is not open; ErrNoRecord when
// there is no record with the ID.
func (tx *Tx) Put(r *Record) error {
	if r.needsKeys() && tx.keys == nil || r.Sealed && !tx.keys.canOpen() {
		return tx.keys.missing()
	}
	if err := tx.count(); err != nil {
		return err
	}
	var before []byte
	if r.ID != 0 {
		if err := tx.tx.QueryRow("SELECT terms FROM records WHERE id = ?", r.ID).Scan(&before); err != nil {
			return noRecord(err)
		}
		return tx.write(r, before)
	}
	if r.Slot != NoSlot {
		if _, err := tx.delete(inHalf, r.Slot, r.Private); err != nil {
			return err
		}
	}
	id, err := tx.reserve()
	if err != nil {
		return err
	}
	r.ID = id
	tx.made = append(tx.made, r)
	return tx.write(r, before)
}

func noRecord(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoRecord
	}
	return err
}

// count gives the transaction the next revision.
func (tx *Tx) count() error {
	if tx.counted {
		return nil
	}
	tx.counted = true
	return tx.tx.QueryRow("UPDATE token SET revision = revision + 1, device = max(device, ?) RETURNING revision", tx.device).Scan(&tx.revision)
}

// reserve inserts an empty record, because the ID is authenticated too.
func (tx *Tx) reserve() (id int64, err error) {
	result, err := tx.tx.Exec(`INSERT INTO records (slot, private, sealed, hidden, public, attributes, code, revision, terms)
		VALUES (?, 0, 0, 0, x'', x'', x'', ?, x'')`, NoSlot, tx.revision)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// write writes the record over one that has these terms.
func (tx *Tx) write(r *Record, before []byte) error {
	apart, digest, err := tx.apart(r)
	if err != nil {
		return err
	}
	w, terms := newRow(r, digest, tx.keys), r.terms(tx.keys)
	if err := tx.update(w, apart, terms, tx.revision); err != nil {
		return err
	}
	return tx.index(r.ID, before, terms)
}

// update writes a row. It leaves its values when apart is nil, and its revision when
// that is not older.
func (tx *Tx) update(w *row, apart, terms []byte, revision uint64) error {
	_, err := tx.tx.Exec(`UPDATE records
		SET (slot, private, sealed, hidden, public, attributes, code, digest, terms, apart, revision) =
			(?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, apart), max(?, revision)) WHERE id = ?`,
		w.Slot, w.Private, w.Sealed, w.Hidden, append([]byte{}, w.Public...), w.attributes, w.code,
		w.digest, terms, apart, revision, w.ID)
	return err
}

func (tx *Tx) index(id int64, before, terms []byte) error {
	if bytes.Equal(before, terms) {
		return nil
	}
	if err := removeTerms(tx.tx, id, before); err != nil {
		return err
	}
	return addTerms(tx.tx, id, terms)
}

// apart returns the Values of a record as they are written, nil for those that are
// there, and their digest.
func (tx *Tx) apart(r *Record) (apart, digest []byte, err error) {
	if r.Values != nil || !r.Apart {
		apart, digest = (&row{Record: *r}).encodeValues(tx.keys)
		return apart, digest, nil
	}
	now, err := tx.row(byID, r.ID)
	if err != nil {
		return nil, nil, err
	}
	// What somebody without a PIN has put there must not get a code now.
	if !now.acceptable(tx.keys) {
		return nil, nil, ErrNoRecord
	}
	target := &row{Record: *r}
	if now.digest != nil && bytes.Equal(now.header(), target.header()) {
		return nil, now.digest, nil
	}
	if target.Values, err = tx.values(now); err != nil {
		return nil, nil, err
	}
	apart, digest = target.encodeValues(tx.keys)
	if now.Sealed {
		target.eraseValues()
	}
	return apart, digest, nil
}

// eraseValues overwrites Values that are nobody else's.
func (r *Record) eraseValues() {
	for _, v := range r.Values {
		clear(v)
	}
}

// Delete deletes the record with the ID; what was sealed in it is in no file any
// more after the Update. ErrNoRecord.
func (tx *Tx) Delete(id int64) error {
	gone, err := tx.delete(byID, id)
	if err != nil {
		return err
	}
	if len(gone) == 0 {
		return ErrNoRecord
	}
	tx.erases = tx.erases || gone[0].sealed
	return nil
}

// DeleteSlot deletes the records that decorate a key slot with a public key, if there
// are any, and those of its further names. The key is the token's own no more.
func (tx *Tx) DeleteSlot(slot int, public []byte) error {
	_, err := tx.delete(ofKey, slot, public)
	_, further := tx.delete(furtherOfKey, slot, public)
	return errors.Join(err, further, tx.Disown(OwnKey{slot, public}))
}

// deleted is what is left to know of a record.
type deleted struct {
	id     int64
	sealed bool
	terms  []byte
}

// delete deletes the records of which a condition with these arguments is true.
func (tx *Tx) delete(c condition, arguments ...any) ([]deleted, error) {
	gone, err := tx.remove(c, arguments...)
	if err != nil || len(gone) == 0 {
		return gone, err
	}
	if err := tx.count(); err != nil {
		return nil, err
	}
	for _, d := range gone {
		if err := removeTerms(tx.tx, d.id, d.terms); err != nil {
			return nil, err
		}
		if _, err := tx.tx.Exec("INSERT INTO deletions VALUES (?, ?)", tx.revision, d.id); err != nil {
			return nil, err
		}
	}
	return gone, tx.forgetDeletions()
}

func (tx *Tx) remove(c condition, arguments ...any) (gone []deleted, err error) {
	rows, err := tx.tx.Query(deleteRows+string(c)+" RETURNING id, sealed, terms", arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d deleted
		if err := rows.Scan(&d.id, &d.sealed, &d.terms); err != nil {
			return nil, err
		}
		gone = append(gone, d)
	}
	return gone, rows.Err()
}

const deleteRows = "DELETE FROM records WHERE "

// maxDeletions is how many deletions are remembered at least, unless they are of one
// transaction.
const maxDeletions = 1000

const oldDeletion = "SELECT revision FROM deletions ORDER BY revision DESC, record DESC LIMIT 1 OFFSET ?"

// forgetDeletions keeps the list of deletions short. A process that has not read for so
// long reads everything.
func (tx *Tx) forgetDeletions() error {
	var floor uint64
	err := tx.tx.QueryRow(oldDeletion, maxDeletions).Scan(&floor)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.tx.Exec("DELETE FROM deletions WHERE revision <= ?", floor); err != nil {
		return err
	}
	_, err = tx.tx.Exec("UPDATE token SET floor = ?", floor)
	return err
}
