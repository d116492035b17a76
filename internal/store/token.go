// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/rand"
	"database/sql"
	"time"
	"unicode/utf8"
)

// maxLabel is the size of a token's label in bytes (CK_TOKEN_INFO).
const maxLabel = 32

// Token is what anybody may know of the token.
type Token struct {
	Initialized bool
	Label       string // UTF-8, not padded
	PINs        [2]PIN // by User
}

// tokenRows is what the file says of the token.
type tokenRows struct {
	version uint64 // of the file
	label   string
	pins    [2]*pinRow // by User
	id      identity
	Pairing
}

// Token returns the state of the token. It reads the database only after a change.
func (s *Store) Token() (t Token, err error) {
	rows, err := s.tokenRows()
	if err != nil {
		return t, err
	}
	counts, err := s.counts.view()
	if err != nil {
		return t, err
	}
	counts = s.own(counts, rows)
	t.Initialized, t.Label = rows.Initialized, rows.label
	for u, p := range rows.pins {
		t.PINs[u] = p.describe(counts.failures(User(u), p), s.maxFailures[u])
	}
	return t, nil
}

// tokenRows returns what was read last, as long as nothing has changed.
func (s *Store) tokenRows() (*tokenRows, error) {
	rows := &tokenRows{version: s.Version()}
	if known := s.token.Load(); known != nil && known.version == rows.version {
		return known, nil
	}
	if err := s.file.View(rows.readRows); err != nil {
		return nil, err
	}
	s.token.Store(rows)
	return rows, nil
}

func (rows *tokenRows) readRows(tx *sql.Tx) (err error) {
	for u := range rows.pins {
		if rows.pins[u], err = loadPIN(tx, User(u)); err != nil {
			return err
		}
	}
	var id []byte
	err = tx.QueryRow("SELECT initialized, label, identity, mate, open, bond FROM token").
		Scan(&rows.Initialized, &rows.label, &id, &rows.Mate.Serial, &rows.Mate.Open, &rows.Bond)
	copy(rows.id[:], id)
	return err
}

// initializeWait bounds how long a process waits for others that initialise the
// token, each of which derives keys from PINs and may wait for its device.
const initializeWait = time.Minute

// Alone excludes other processes that initialise the token, from before the
// check of the SO PIN until the device has the new secret, and those that are
// AmongOthers. What one of them knows of the token is then true until release. ErrBusy.
func (s *Store) Alone() (release func(), err error) { return s.initLock.Exclusive(initializeWait) }

// Initialize gives the token a label, an SO PIN, a root and a new secret, which it
// returns, unsets the user PIN, deletes all records and locks the store. It
// checks no PIN: the caller does, after Alone.
//
// Before the commit it calls prepare with the secret and the bond with the device, so
// that the device takes them first: whatever the store says, the secret behind its PINs
// is one that opens the device. When prepare fails, the store has not changed. ErrLabel.
func (s *Store) Initialize(label string, soPIN []byte, m Mate, r Root, prepare func(secret, bond []byte) error) ([]byte, error) {
	if len(label) > maxLabel || !utf8.ValidString(label) {
		return nil, ErrLabel
	}
	tokenSecret := make([]byte, secretSize)
	rand.Read(tokenSecret) // never fails
	next := &beginning{
		label: label, soPIN: wrap(SO, tokenSecret, soPIN), secret: tokenSecret, mate: m, bond: Bond(tokenSecret, m),
		root: r, prepare: prepare,
	}
	if _, err := s.file.Change(next.execute); err != nil {
		clear(tokenSecret)
		return nil, err
	}
	s.purge()
	s.Logout()
	return tokenSecret, nil
}

// beginning is what a token begins anew with.
type beginning struct {
	label        string
	soPIN        *pinRow
	secret, bond []byte
	mate         Mate
	root         Root
	prepare      func(secret, bond []byte) error
}

func (b *beginning) execute(tx *sql.Tx) ([]int, error) {
	if err := b.prepare(b.secret, b.bond); err != nil {
		return nil, err
	}
	if err := reset(tx, b.label, b.soPIN); err != nil {
		return nil, err
	}
	if err := b.root.save(tx, b.secret); err != nil {
		return nil, err
	}
	return []int{secretPart}, saveBond(tx, b.mate, b.bond)
}

func reset(tx *sql.Tx, label string, so *pinRow) error {
	if _, err := tx.Exec("DELETE FROM records; DELETE FROM terms; DELETE FROM deletions; DELETE FROM journal; DELETE FROM pins; DELETE FROM recovery"); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE token SET initialized = 1, label = ?, revision = revision + 1, floor = revision + 1", label)
	if err != nil {
		return err
	}
	return so.save(tx, SO)
}

// TriesLeft returns how many times in a row a PIN may still be wrong before it is locked.
func (s *Store) TriesLeft(u User, p PIN) int { return max(0, s.maxFailures[u]-p.Failures) }
