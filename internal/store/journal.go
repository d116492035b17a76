// SPDX-License-Identifier: Apache-2.0

package store

import "time"

// The store and the device cannot commit together. So the journal says beforehand what is
// about to be done to a key slot. An entry whose writer is gone tells the one who finds it that
// the two may disagree, and how.

// Kind is what is done to a key slot.
type Kind int

// The kinds of changes.
const (
	Placing  Kind = iota // a key is put into its slot, after its records
	Choosing             // the device makes a key in a slot that it chooses, before its records
	Removing             // a key is removed, before its records
)

// Entry is one change that is under way.
type Entry struct {
	ID     int64 // of the entry; Note sets it
	Kind   Kind
	Slot   int
	Public []byte // of the key; empty while the device chooses
	Apart  int64  // Removing: the record that the public key object has become, 0 for none
	Known  []byte // Choosing: names the keys that were there before, as the writer knows them
}

// Note writes entries to the journal.
func (tx *Tx) Note(entries ...*Entry) error {
	for _, e := range entries {
		result, err := tx.tx.Exec("INSERT INTO journal (kind, slot, public, apart, known) VALUES (?, ?, ?, ?, ?)",
			e.Kind, e.Slot, append([]byte{}, e.Public...), e.Apart, append([]byte{}, e.Known...))
		if err != nil {
			return err
		}
		if e.ID, err = result.LastInsertId(); err != nil {
			return err
		}
	}
	return nil
}

// Strike takes entries out again that are there.
func (tx *Tx) Strike(entries ...*Entry) error {
	for _, e := range entries {
		if _, err := tx.tx.Exec("DELETE FROM journal WHERE id = ?", e.ID); err != nil {
			return err
		}
	}
	return nil
}

// Journal returns the entries.
func (tx *Tx) Journal() ([]Entry, error) { return tx.journal() }

// Journal returns the entries.
func (s *Store) Journal() (entries []Entry, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	return now.journal()
}

func (n *snapshot) journal() (entries []Entry, err error) {
	rows, err := n.tx.Query("SELECT id, kind, slot, public, apart, known FROM journal ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.ID, &e.Kind, &e.Slot, &e.Public, &e.Apart, &e.Known); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// Remembers reports whether there is a record of any key in a slot.
func (tx *Tx) Remembers(slot int) (yes bool, err error) {
	err = tx.tx.QueryRow(slotRemembered, slot).Scan(&yes)
	return yes, err
}

// Remembers reports whether there is a record of a key in a slot.
func (s *Store) Remembers(slot int, public []byte) (yes bool, err error) {
	err = s.readRow(keyRemembered, []any{slot, public}, &yes)
	return yes, err
}

// Settled reports whether Remembers is true and nobody is changing what is in the slot, or has
// died while doing so.
func (s *Store) Settled(slot int, public []byte) (remembered bool, err error) {
	err = s.readRow(keySettled, []any{slot, public, slot, Choosing}, &remembered)
	return remembered, err
}

const (
	slotRemembered = "SELECT EXISTS (SELECT 1 FROM records WHERE slot = ? AND slot <> -2147483648)"
	keyRemembered  = "SELECT EXISTS (SELECT 1 FROM records WHERE slot = ? AND public = ? AND slot <> -2147483648)"
	keySettled     = keyRemembered + " AND NOT EXISTS (SELECT 1 FROM journal WHERE slot = ? OR kind = ?)"
)

// AmongOthers keeps everybody from being Alone, and from mending, until release. It is for
// a process that has an entry in the journal. ErrBusy.
func (s *Store) AmongOthers() (release func(), err error) { return s.initLock.Shared(s.wait) }

// Mending keeps everybody from being AmongOthers until release: the process that has written the
// entries that are in the journal is gone. ErrBusy when others are at work for as long as
// wait.
func (s *Store) Mending(wait time.Duration) (release func(), err error) {
	return s.initLock.Attempt(wait)
}
