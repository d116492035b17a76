// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/rand"
	"database/sql"
	"time"
	"unicode/utf8"

	"libzk_pkcs11/internal/turn"
)

// maxLabel is the size of a token's label in bytes (CK_TOKEN_INFO).
const maxLabel = 32

// Token is what anybody may know of the token.
type Token struct {
	Initialized bool
	Label       string // UTF-8, not padded
	PINs        [2]PIN // by User
}

type tokenCache struct {
	mu       turn.RWMutex
	known    bool
	version  uint64
	attempts uint64 // the version of the counts of wrong PINs
	token    Token
}

// Token returns the state of the token. It reads the file only after a change.
func (s *Store) Token() (Token, error) {
	c := &s.token
	c.mu.Lock()
	defer c.mu.Unlock()
	version, attempts := s.Version(), s.attempts.Version()
	if c.known && version == c.version && attempts == c.attempts {
		return c.token, nil
	}
	token, err := s.readToken()
	if err != nil {
		return Token{}, err
	}
	c.known, c.version, c.attempts, c.token = true, version, attempts, token
	return token, nil
}

func (s *Store) readToken() (t Token, err error) {
	err = s.viewBetweenAttempts(func(tx *sql.Tx) error {
		for u := range t.PINs {
			p, err := loadPIN(tx, User(u))
			if err != nil {
				return err
			}
			n, err := s.failuresOf(User(u), p)
			if err != nil {
				return err
			}
			t.PINs[u] = p.describe(n, s.maxFailures[u])
		}
		return tx.QueryRow("SELECT initialized, label FROM token").Scan(&t.Initialized, &t.Label)
	})
	return t, err
}

// initializeWait bounds how long a process waits for others that initialise the
// token, each of which derives keys from PINs and may wait for its device.
const initializeWait = time.Minute

// Alone excludes other processes that initialise the token, from before the
// check of the SO PIN until the device has the new secret. What one of them knows
// of the token is then true until release. ErrBusy.
func (s *Store) Alone() (release func(), err error) { return s.initLock.Exclusive(initializeWait) }

// Initialize gives the token a label, an SO PIN and a new secret, which it
// returns, unsets the user PIN, deletes all records and locks the store. It
// checks no PIN: the caller does, after Alone.
//
// Before the commit it calls prepare with the secret, so that the device takes
// it first: whatever the store says, the secret behind its PINs is one that
// opens the device. When prepare fails, the store has not changed. ErrLabel.
func (s *Store) Initialize(label string, soPIN []byte, prepare func(secret []byte) error) ([]byte, error) {
	if len(label) > maxLabel || !utf8.ValidString(label) {
		return nil, ErrLabel
	}
	tokenSecret := make([]byte, secretSize)
	rand.Read(tokenSecret) // never fails
	pin := wrap(SO, tokenSecret, soPIN)
	err := s.file.Update(func(tx *sql.Tx) error {
		if err := prepare(tokenSecret); err != nil {
			return err
		}
		return reset(tx, label, fingerprint(tokenSecret), pin)
	})
	if err != nil {
		return nil, err
	}
	s.purge()
	s.Logout()
	return tokenSecret, nil
}

func reset(tx *sql.Tx, label string, fingerprint []byte, so *pinRow) error {
	if _, err := tx.Exec("DELETE FROM records; DELETE FROM pins; DELETE FROM deletions; UPDATE token SET revision = revision + 1, floor = revision + 1"); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE token SET initialized = 1, label = ?, fingerprint = ?", label, fingerprint)
	if err != nil {
		return err
	}
	return so.save(tx, SO)
}
