// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
	"errors"

	"libzk_pkcs11/internal/secret"
)

// attemptsSchema is the format of the file with the wrong PINs in a row. They
// have a file of their own because every login counts, and no other process
// needs to read the records again for that.
//
// A count belongs to the PIN that has the salt. A new PIN, which is written to
// the token's file alone, has none and so no failures.
const attemptsSchema = `
CREATE TABLE attempts (
	user     INTEGER PRIMARY KEY CHECK (user IN (0, 1)),
	salt     BLOB NOT NULL,
	failures INTEGER NOT NULL
) STRICT;
`

var errPINChanged = errors.New("PIN was changed meanwhile")

func (s *Store) failuresOf(u User, p *pinRow) (n int, err error) {
	err = s.attempts.View(func(tx *sql.Tx) error {
		n, err = failures(tx, u, p)
		return err
	})
	return n, err
}

func failures(tx *sql.Tx, u User, p *pinRow) (n int, err error) {
	err = tx.QueryRow("SELECT failures FROM attempts WHERE user = ? AND salt = ?", u, p.salt).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// viewBetweenAttempts keeps fn from seeing an attempt that has been counted and,
// because the PIN is right, will be taken back.
func (s *Store) viewBetweenAttempts(fn func(*sql.Tx) error) error {
	release, err := s.pinLock.Exclusive(s.wait)
	if err != nil {
		return err
	}
	defer release()
	return s.file.View(fn)
}

// attempt excludes other attempts, for else many right PINs at a time would be
// counted before the first is taken back, and lock the PIN.
func (s *Store) attempt(u User, p *pinRow, key *secret.Buffer) ([]byte, error) {
	release, err := s.pinLock.Exclusive(s.wait)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.unchanged(u, p); err != nil {
		return nil, err
	}
	if err := s.count(u, p); err != nil {
		return nil, err
	}
	tokenSecret, err := p.unwrap(u, key)
	if err != nil {
		return nil, err
	}
	if err := s.takeBack(u); err != nil {
		return nil, err
	}
	return tokenSecret, nil
}

// unchanged checks that p is still the PIN.
func (s *Store) unchanged(u User, p *pinRow) error {
	return s.file.View(func(tx *sql.Tx) error {
		now, err := loadPIN(tx, u)
		if err == nil && !bytes.Equal(now.salt, p.salt) {
			return errPINChanged
		}
		return err
	})
}

// count adds an attempt, unless the PIN is locked.
func (s *Store) count(u User, p *pinRow) error {
	return s.updateAttempts(func(tx *sql.Tx) error {
		n, err := failures(tx, u, p)
		if err != nil {
			return err
		}
		if n >= s.maxFailures[u] {
			return ErrPINLocked
		}
		_, err = tx.Exec("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)", u, p.salt, n+1)
		return err
	})
}

func (s *Store) takeBack(u User) error {
	return s.updateAttempts(func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM attempts WHERE user = ?", u)
		return err
	})
}

// updateAttempts does nothing where the token cannot be written.
func (s *Store) updateAttempts(fn func(*sql.Tx) error) error {
	if s.ReadOnly() {
		return nil
	}
	return s.attempts.Update(fn)
}
