// SPDX-License-Identifier: Apache-2.0

package store

import (
	"database/sql"
	"errors"
	"strings"
)

// SetCheapPIN is SetPIN with a derivation that takes no time, so that attempts
// in several processes meet at what follows it.
func (s *Store) SetCheapPIN(u User, tokenSecret, pin []byte) error {
	row := &pinRow{derivation: newDerivation()}
	row.passes, row.memory = 1, 8
	key := row.key(pin)
	defer key.Destroy()
	row.wrapped = seal(key, tokenSecret, purpose(u))
	return s.file.Update(func(tx *sql.Tx) error { return row.save(tx, u) })
}

// Explain returns how SQLite finds what the statements of a call are about.
func (s *Store) Explain(statement string) (plan []string, err error) {
	err = s.file.View(func(tx *sql.Tx) error {
		arguments := make([]any, strings.Count(statement, "?"))
		rows, err := tx.Query("EXPLAIN QUERY PLAN "+statement, arguments...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			plan = append(plan, step)
		}
		return rows.Err()
	})
	return plan, err
}

// Statements are those that must not read a whole table.
func Statements() []string {
	statements := []string{
		oldDeletion, deletionsSince, furtherNamed, slotRemembered, keyRemembered, keySettled, countTerms(1), countTerms(3), insertTerms(5), deleteTerms(1), deleteTerms(5),
		"SELECT EXISTS (SELECT 1 FROM records WHERE sealed = 1 AND slot = -2147483648)",
	}
	for _, c := range []condition{byID, inHalf, ofKey, furtherNames, furtherOfKey} {
		statements = append(statements, deleteRows+string(c))
	}
	for _, c := range []condition{
		byID, unindexedOne, inHalf, ofKey, inSlots, changed, publicWithoutTerms, sealedWithoutTerms, withTerms(1, 1), withTerms(3, 2),
	} {
		statements = append(statements, selectRows+string(c)+inOrder)
	}
	return statements
}

// Count returns the number that a statement gives.
func (s *Store) Count(statement string) (n int, err error) {
	err = s.file.View(func(tx *sql.Tx) error { return tx.QueryRow(statement).Scan(&n) })
	return n, err
}

// Attempt counts an attempt and calls fn in the place of looking at the PIN.
func (s *Store) Attempt(u User, fn func()) error {
	p, err := s.usablePIN(u)
	if err != nil {
		return err
	}
	release, err := s.pinLock.Exclusive(s.wait)
	if err != nil {
		return err
	}
	defer release()
	if _, err := s.begin(u, p); err != nil {
		return err
	}
	fn()
	return nil
}

// PeekSecret returns what a PIN gives, without an attempt.
func (s *Store) PeekSecret(u User, pin []byte) ([]byte, error) {
	p, err := s.usablePIN(u)
	if err != nil {
		return nil, err
	}
	return p.unwrap(u, p.key(pin))
}

// WhileRead calls fn while somebody reads the file.
func (s *Store) WhileRead(fn func() error) error {
	var err error
	reading := s.file.View(func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow("SELECT count(*) FROM records").Scan(&n); err != nil {
			return err
		}
		err = fn()
		return nil
	})
	return errors.Join(reading, err)
}
