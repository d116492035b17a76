// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
)

// Login checks the PIN as CheckPIN does, and unlocks the store with it. The
// caller gets the token's secret and should overwrite it after use.
func (s *Store) Login(u User, pin []byte) (tokenSecret []byte, err error) {
	version := s.file.PartVersion(secretPart)
	tokenSecret, err = s.CheckPIN(u, pin)
	if err != nil {
		return nil, err
	}
	// A secret that another process has replaced just now is found out by Unlocked.
	if err := s.unlock(tokenSecret, version); err != nil && err != ErrSecret {
		clear(tokenSecret)
		return nil, err
	}
	return tokenSecret, nil
}

// Unlock unlocks the store with the token's secret itself. ErrSecret.
func (s *Store) Unlock(tokenSecret []byte) error {
	version := s.file.PartVersion(secretPart)
	err := s.unlock(tokenSecret, version)
	if err != nil {
		s.Logout()
	}
	return err
}

// unlock takes the keys that the secret gives. Those of private records come with OpenRoot
// where the token has a root.
func (s *Store) unlock(tokenSecret []byte, version uint64) error {
	k := deriveKeys(tokenSecret, version)
	now, err := s.prints()
	switch {
	case err != nil:
		k.destroy()
		return err
	case !bytes.Equal(now.secret, k.prints.secret):
		err = ErrSecret
	case now.rooted():
		k.prints.whole = now.whole
	default:
		k.addRoot(nil)
	}
	s.keys.set(k)
	return err
}

// prints reads the fingerprints of what opens the token.
func (s *Store) prints() (p prints, err error) {
	now, err := s.file.BeginView()
	if err != nil {
		return p, err
	}
	defer now.End(&err)
	return readPrints(now.Tx)
}

// Logout forgets the secret: the store is locked again. Calls that are under way end as
// they would have.
func (s *Store) Logout() { s.keys.set(nil) }

// Unlocked reports whether the store is unlocked, with the secret and the root that the token
// has now: another process that initialises the token locks everybody out, and one that gives it
// a root those who have not opened that. It reads the file only when the secret may have changed, and waits for nobody else.
func (s *Store) Unlocked() bool {
	k := s.keys.now.Load()
	if k == nil {
		return false
	}
	version := s.file.PartVersion(secretPart)
	if version == k.checked.Load() {
		return true
	}
	now, err := s.glimpsePrints()
	if err != nil {
		return true // for all that can be known
	}
	if !now.equal(k.prints) {
		return false
	}
	k.checked.Store(version)
	return true
}

// glimpsePrints is prints that waits for nobody.
func (s *Store) glimpsePrints() (p prints, err error) {
	now, err := s.file.BeginGlance()
	if err != nil {
		return p, err
	}
	defer now.End(&err)
	return readPrints(now.Tx)
}

// CheckPIN returns the token's secret when the PIN is right, and otherwise
// ErrPIN, ErrPINLocked or ErrNoPIN.
//
// All processes share one count of wrong PINs. An attempt is counted, on stable
// storage, before the PIN is looked at, so that no crash undoes it, and taken
// back when the PIN was right. Where it cannot be counted no PIN is looked at:
// ErrUncounted. The exception is a store that is read-only, which does not count.
func (s *Store) CheckPIN(u User, pin []byte) (tokenSecret []byte, err error) {
	for {
		p, err := s.usablePIN(u)
		if err != nil {
			return nil, err
		}
		// The slow part: before the attempt, so that others need not wait.
		s.room.Do(p.makeRoom)
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
	if p, err = s.storedPIN(u); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	counts, err := s.counts.view()
	if err == nil && counts.failures(u, p) >= s.maxFailures[u] {
		err = ErrPINLocked // also where the counts may be those of another token
	}
	return p, err
}

// SetPIN gives the user another PIN, and no failures; what the PIN before gives
// the secret by is in no file any more. It needs the token's secret, nil for that
// of an unlocked store. ErrSecret, ErrLocked.
func (s *Store) SetPIN(u User, tokenSecret, pin []byte) error {
	k := s.keys.take()
	defer s.keys.giveBack(k)
	if tokenSecret == nil {
		if k == nil {
			return ErrLocked
		}
		tokenSecret = k.secret.Bytes()
	}
	next := &newPIN{wrap(u, tokenSecret, pin), u, tokenSecret}
	_, err := s.file.Change(next.execute)
	if err == nil {
		s.purge()
	}
	return err
}

// newPIN is a PIN to be set.
type newPIN struct {
	row         *pinRow
	user        User
	tokenSecret []byte
}

func (n *newPIN) execute(tx *sql.Tx) ([]int, error) {
	if err := verifySecret(tx, n.tokenSecret); err != nil {
		return nil, err
	}
	return nil, n.row.save(tx, n.user)
}

// verifySecret keeps a secret that another process has replaced meanwhile from
// being wrapped: the PIN would open nothing.
func verifySecret(tx *sql.Tx, tokenSecret []byte) error {
	now, err := readPrints(tx)
	if err == nil && !bytes.Equal(now.secret, fingerprint(tokenSecret, nil)) {
		return ErrSecret
	}
	return err
}
