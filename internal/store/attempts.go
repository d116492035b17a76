// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/secret"
)

var errPINChanged = errors.New("PIN was changed meanwhile")

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
	if s.ReadOnly() {
		return p.unwrap(u, key)
	}
	now, err := s.begin(u, p)
	if err != nil {
		return nil, err
	}
	tokenSecret, err := p.unwrap(u, key)
	if err != nil {
		now.settle()
		_ = s.counts.write(&now) // the mark of the attempt counts as well
		return nil, err
	}
	now.of[u] = count{salt: now.of[u].salt}
	s.look(&now)
	if err := s.counts.write(&now); err != nil {
		clear(tokenSecret)
		return nil, err
	}
	return tokenSecret, nil
}

// unchanged checks that p is still the PIN.
func (s *Store) unchanged(u User, p *pinRow) error {
	now, err := s.storedPIN(u)
	if err == nil && !bytes.Equal(now.salt, p.salt) {
		return errPINChanged
	}
	return err
}

// storedPIN reads a PIN.
func (s *Store) storedPIN(u User) (p *pinRow, err error) {
	now, err := s.file.BeginView()
	if err != nil {
		return nil, err
	}
	defer now.End(&err)
	return loadPIN(now.Tx, u)
}

// begin counts an attempt, unless the PIN is locked.
func (s *Store) begin(u User, p *pinRow) (counts, error) {
	if err := s.counts.check(); err != nil {
		return counts{}, err
	}
	now, err := s.now()
	if err != nil {
		return now, err
	}
	now.settle()
	if now.failures(u, p) >= s.maxFailures[u] {
		return now, ErrPINLocked
	}
	now.of[u] = count{failures: uint32(now.failures(u, p)), trying: true}
	copy(now.of[u].salt[:], p.salt)
	err = s.counts.write(&now)
	return now, err
}
