// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
	"errors"

	"libzk_pkcs11/internal/secret"
)

var errPINChanged = errors.New("PIN was changed meanwhile")

// Login checks the PIN as CheckPIN does, and unlocks the store with it. The
// caller gets the token's secret and should overwrite it after use.
func (s *Store) Login(u User, pin []byte) (tokenSecret []byte, err error) {
	tokenSecret, err = s.CheckPIN(u, pin)
	if err == nil {
		s.setKeys(deriveKeys(tokenSecret))
	}
	return tokenSecret, err
}

// Logout forgets the secret: the store is locked again.
func (s *Store) Logout() { s.setKeys(nil) }

func (s *Store) setKeys(k *keys) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.destroy()
	s.keys = k
}

// CheckPIN returns the token's secret when the PIN is right, and otherwise
// ErrPIN, ErrPINLocked or ErrNoPIN.
//
// All processes share one count of wrong PINs. An attempt is counted, on stable
// storage, before the PIN is looked at, so that no crash undoes it, and taken
// back when the PIN was right. A store that is read-only does not count.
func (s *Store) CheckPIN(u User, pin []byte) (tokenSecret []byte, err error) {
	for {
		p, err := s.usablePIN(u)
		if err != nil {
			return nil, err
		}
		// The slow part: before the attempt, so that others need not wait.
		key := p.key(pin)
		tokenSecret, err := s.attempt(u, p, key)
		key.Destroy()
		if err != errPINChanged {
			return tokenSecret, err
		}
	}
}

func (s *Store) usablePIN(u User) (p *pinRow, err error) {
	if u != SO && u != NormalUser {
		return nil, ErrNoPIN
	}
	err = s.viewBetweenAttempts(func(tx *sql.Tx) error {
		p, err = loadPIN(tx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, p.check(s.maxFailures[u])
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

// count adds an attempt, unless p is no longer the PIN or has been locked.
func (s *Store) count(u User, p *pinRow) error {
	return s.writeIfPossible(func(tx *sql.Tx) error {
		now, err := loadPIN(tx, u)
		if err != nil {
			return err
		}
		if !bytes.Equal(now.salt, p.salt) {
			return errPINChanged
		}
		if err := now.check(s.maxFailures[u]); err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE pins SET failures = failures + 1 WHERE user = ?", u)
		return err
	})
}

func (s *Store) takeBack(u User) error {
	return s.writeIfPossible(func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE pins SET failures = 0 WHERE user = ?", u)
		return err
	})
}

func (s *Store) writeIfPossible(fn func(*sql.Tx) error) error {
	err := s.file.Update(fn)
	if errors.Is(err, ErrReadOnly) {
		return nil
	}
	return err
}

// SetPIN gives the user another PIN, and no failures. It needs the token's
// secret, nil for that of an unlocked store. ErrSecret, ErrLocked.
func (s *Store) SetPIN(u User, tokenSecret, pin []byte) error {
	if tokenSecret == nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.keys == nil {
			return ErrLocked
		}
		tokenSecret = s.keys.secret.Bytes()
	}
	row := wrap(u, tokenSecret, pin)
	return s.file.Update(func(tx *sql.Tx) error {
		if err := verifySecret(tx, tokenSecret); err != nil {
			return err
		}
		return row.save(tx, u)
	})
}

// verifySecret keeps a secret that another process has replaced meanwhile from
// being wrapped: the PIN would open nothing.
func verifySecret(tx *sql.Tx, tokenSecret []byte) error {
	ok, err := isFingerprint(tx, fingerprint(tokenSecret))
	if err == nil && !ok {
		return ErrSecret
	}
	return err
}
