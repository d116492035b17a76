// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
	"errors"

	"libzk_pkcs11/internal/secret"
)

// rootColumns make format 3 of format 2. root is the token's root as the device has locked it,
// empty for a token without one. fingerprint is from now on of the secret and the root
// together: a program that knows format 2 only, and would write private records without
// the root, is locked out when there is one. stale says that private records sealed without
// the root may still lie in the file's log.
const rootColumns = `
ALTER TABLE token ADD COLUMN root BLOB NOT NULL DEFAULT x'';
ALTER TABLE token ADD COLUMN secret_fingerprint BLOB NOT NULL DEFAULT x'';
ALTER TABLE token ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
UPDATE token SET secret_fingerprint = fingerprint;
`

// RootSize is how many random bytes a root has.
const RootSize = 32

// Root is what opens private records together with the token's secret. Without a Root they
// are sealed by the secret alone.
type Root struct {
	Plain  []byte // the caller overwrites it
	Locked []byte // as the device has locked it, and gives it back to nobody else's device
}

// ErrOutdated says that another process has given the token a root, or another one, meanwhile.
var ErrOutdated = errors.New("token has got another root meanwhile")

// save makes r the root of a token with this secret.
func (r Root) save(tx *sql.Tx, tokenSecret []byte) error {
	_, err := tx.Exec("UPDATE token SET root = ?, secret_fingerprint = ?, fingerprint = ?",
		append([]byte{}, r.Locked...), fingerprint(tokenSecret, nil), fingerprint(tokenSecret, r.Plain))
	return err
}

// LockedRoot returns the root as the device has locked it, empty for a token without one. It
// also finishes what an AddRoot that was killed has left to do.
func (s *Store) LockedRoot() (locked []byte, err error) {
	var stale bool
	err = s.readRow("SELECT root, stale FROM token", nil, &locked, &stale)
	if err == nil && stale && !s.ReadOnly() {
		s.purgeStale()
	}
	return locked, err
}

// HasRoot reports whether the unlocked store can open private records: its token has no root, or
// OpenRoot was given it.
func (s *Store) HasRoot() bool { return s.keys.now.Load().canOpen() }

// LacksRoot reports whether the store was unlocked with the secret of the token and is not
// Unlocked, because another process has given the token a root since.
func (s *Store) LacksRoot() (bool, error) {
	k := s.keys.take()
	defer s.keys.giveBack(k)
	if k == nil {
		return false, nil
	}
	now, err := s.prints()
	return bytes.Equal(now.secret, k.prints.secret) && !bytes.Equal(now.whole, k.prints.whole), err
}

// OpenRoot gives an unlocked store the token's root. ErrRoot for any other, ErrLocked,
// ErrSecret.
func (s *Store) OpenRoot(root []byte) error {
	version := s.file.PartVersion(secretPart)
	k := s.keys.take()
	defer s.keys.giveBack(k)
	if k == nil {
		return ErrLocked
	}
	now, err := s.prints()
	if err != nil {
		return err
	}
	next := deriveKeys(k.secret.Bytes(), version)
	next.addRoot(root)
	switch {
	case next.prints.equal(now):
		s.keys.set(next)
		return nil
	case !bytes.Equal(next.prints.secret, now.secret):
		err = ErrSecret
	default:
		err = ErrRoot
	}
	next.destroy()
	return err
}

// AddRoot gives a token that has none a root, and seals every private record anew, all at
// once: a process that is killed in it has done it or not. complete does what Reindex has it do. Other
// processes that are unlocked have to open the root before they see private records again.
// ErrOutdated when another process was faster; ErrRoot when somebody has taken the root out of
// the file that there was; ErrSecret, ErrLocked, ErrReadOnly, ErrBusy, ErrFull.
func (s *Store) AddRoot(r Root, complete func(*Record) error) error {
	version := s.file.PartVersion(secretPart)
	k := s.keys.take()
	defer s.keys.giveBack(k)
	if k == nil {
		return ErrLocked
	}
	next := deriveKeys(k.secret.Bytes(), version)
	next.addRoot(r.Plain)
	a := &rootAddition{root: r, before: k, after: next, complete: complete}
	if _, err := s.file.Change(a.execute); err != nil {
		next.destroy()
		return err
	}
	s.keys.set(next)
	s.purgeStale()
	return nil
}

// rootAddition is a root to be added to a token.
type rootAddition struct {
	root          Root
	before, after *keys
	complete      func(*Record) error
}

func (a *rootAddition) execute(tx *sql.Tx) ([]int, error) {
	now, err := newSnapshot(tx, a.before)
	if err != nil {
		return nil, err
	}
	if now.keys == nil || a.before.prints.rooted() {
		return nil, a.before.whyOutdated(tx)
	}
	if err := resealAll(now, a.after, a.complete); err != nil {
		return nil, err
	}
	if _, err := tx.Exec("UPDATE token SET stale = 1"); err != nil {
		return nil, err
	}
	if err := dropRecovery(tx); err != nil {
		return nil, err
	}
	return []int{secretPart}, a.root.save(tx, a.before.secret.Bytes())
}

// whyOutdated is the error of keys to which no root can be added.
func (k *keys) whyOutdated(tx *sql.Tx) error {
	now, err := readPrints(tx)
	if err != nil {
		return err
	}
	var locked []byte
	err = tx.QueryRow("SELECT root FROM token").Scan(&locked)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(now.secret, k.prints.secret):
		return ErrSecret
	case now.rooted() && len(locked) == 0:
		return ErrRoot
	}
	return ErrOutdated
}

// purgeStale takes what was sealed without the root out of the file's log. While others are
// in the file it is left to a later login.
func (s *Store) purgeStale() {
	if s.file.Purge() != nil {
		return
	}
	purged := &statement{text: "UPDATE token SET stale = 0"}
	_, _ = s.file.Relaxed(purged.execute)
}

// Opening is what opens the private records of a token, for a caller who brings them to another device.
type Opening struct {
	Secret, Root *secret.Buffer // Root is nil for a token without one
}

// Destroy overwrites them.
func (o Opening) Destroy() {
	o.Secret.Destroy()
	o.Root.Destroy()
}

// Opening returns the secret and the root of an unlocked store. unlock has the device open
// the root. The caller destroys them. ErrLocked, ErrRoot.
func (s *Store) Opening(unlock func(locked []byte) ([]byte, error)) (Opening, error) {
	k := s.keys.take()
	defer s.keys.giveBack(k)
	if k == nil {
		return Opening{}, ErrLocked
	}
	tokenSecret := bytes.Clone(k.secret.Bytes())
	o := Opening{Secret: secret.From(tokenSecret)}
	locked, err := s.LockedRoot()
	if err != nil || len(locked) == 0 {
		return o, err
	}
	root, err := unlock(locked)
	if err == nil && !bytes.Equal(fingerprint(o.Secret.Bytes(), root), k.prints.whole) {
		err = ErrRoot
	}
	if err != nil {
		clear(root)
		o.Destroy()
		return Opening{}, err
	}
	o.Root = secret.From(root)
	return o, nil
}
