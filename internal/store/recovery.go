// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// recoveryTable is part of format 3: the secret and the root of the token, wrapped under a key
// that somebody has written down. It has one row, or none.
const recoveryTable = `
CREATE TABLE recovery (
	id      INTEGER PRIMARY KEY CHECK (id = 0),
	salt    BLOB NOT NULL,
	wrapped BLOB NOT NULL
) STRICT;
`

// RecoverySize is how many bytes a recovery key has.
const RecoverySize = 32

// The errors of recovery.
var (
	ErrNoRecovery = errors.New("the token has no recovery key")
	ErrRecovery   = errors.New("recovery key is not that of the token")
)

// Recovery is what a recovery key opens: the secret and the root of a token.
type Recovery struct{ salt, wrapped []byte }

// Recovery returns what the recovery key of the token opens. ErrNoRecovery when it has none.
func (s *Store) Recovery() (r Recovery, err error) {
	err = s.readRow("SELECT salt, wrapped FROM recovery", nil, &r.salt, &r.wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoRecovery
	}
	return r, err
}

// Open returns the secret and the root, which the caller destroys. ErrRecovery.
func (r Recovery) Open(key []byte) (Opening, error) {
	wrapping := r.wrappingKey(key)
	defer wrapping.Destroy()
	plain, err := open(wrapping, r.wrapped, recoveryPurpose())
	if err != nil || len(plain) != secretSize && len(plain) != secretSize+RootSize {
		return Opening{}, ErrRecovery
	}
	defer clear(plain)
	o := Opening{Secret: secret.From(bytes.Clone(plain[:secretSize]))}
	if len(plain) > secretSize {
		o.Root = secret.From(bytes.Clone(plain[secretSize:]))
	}
	return o, nil
}

// wrappingKey is made of random bytes, which nobody has to be kept from guessing.
func (r Recovery) wrappingKey(key []byte) *secret.Buffer {
	return derive(key, r.salt, "recovery")
}

func recoveryPurpose() []byte { return []byte(purposes + "secret and root of a token") }

// wrap returns what key opens afterwards.
func (o Opening) wrap(key []byte) Recovery {
	r := Recovery{salt: make([]byte, saltSize)}
	rand.Read(r.salt) // never fails
	wrapping := r.wrappingKey(key)
	defer wrapping.Destroy()
	plain := secret.New(len(o.Secret.Bytes()) + len(o.rootBytes()))
	defer plain.Destroy()
	copy(plain.Bytes()[copy(plain.Bytes(), o.Secret.Bytes()):], o.rootBytes())
	r.wrapped = seal(wrapping, plain.Bytes(), recoveryPurpose())
	return r
}

// rootBytes is the root, nil of a token without one.
func (o Opening) rootBytes() []byte {
	if o.Root == nil {
		return nil
	}
	return o.Root.Bytes()
}

// check returns an error when this does not open the token any more.
func (o Opening) check(tx *sql.Tx) error {
	now, err := readPrints(tx)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(now.secret, fingerprint(o.Secret.Bytes(), nil)):
		return ErrSecret
	case !bytes.Equal(now.whole, fingerprint(o.Secret.Bytes(), o.rootBytes())):
		return ErrOutdated
	}
	return nil
}

// KeepRecovery makes key the recovery key of the token, in place of one that it has had, which
// opens nothing any more. It ends with the secret or the root: C_InitToken makes new ones.
// ErrSecret, ErrOutdated.
func (s *Store) KeepRecovery(o Opening, key []byte) error {
	r := o.wrap(key)
	_, err := s.file.Change(func(tx *sql.Tx) ([]int, error) {
		if err := o.check(tx); err != nil {
			return nil, err
		}
		_, err := tx.Exec("INSERT OR REPLACE INTO recovery VALUES (0, ?, ?)", r.salt, r.wrapped)
		return nil, err
	})
	if err == nil {
		s.purge()
	}
	return err
}

// dropRecovery is for a token that gets another secret or root.
func dropRecovery(tx *sql.Tx) error {
	_, err := tx.Exec("DELETE FROM recovery")
	return err
}

// Rebind makes the token that of another device, m, which has locked the root of o as locked.
// PINs, records and recovery key stay. prepare is that of Initialize: until it is committed the
// token is that of the device before. ErrSecret, ErrOutdated.
func (s *Store) Rebind(o Opening, m Mate, locked []byte, prepare func(secret, bond []byte) error) error {
	if s.ReadOnly() {
		return ErrReadOnly
	}
	if err := s.forgetDevice(); err != nil {
		return err
	}
	bond := Bond(o.Secret.Bytes(), m)
	_, err := s.file.Change(func(tx *sql.Tx) ([]int, error) {
		if err := o.check(tx); err != nil {
			return nil, err
		}
		if err := prepare(o.Secret.Bytes(), bond); err != nil {
			return nil, err
		}
		// What was under way was so in the other device.
		_, err := tx.Exec("DELETE FROM journal; UPDATE token SET device = 0")
		if err == nil {
			_, err = tx.Exec("UPDATE token SET root = ?", append([]byte{}, locked...))
		}
		return []int{secretPart}, errors.Join(err, saveBond(tx, m, bond))
	})
	return err
}

// forgetDevice has nothing compared with what the device before had come to, and the new one
// expect no more than there is. A token that is not bound to it then warns of an older copy once less.
func (s *Store) forgetDevice() error {
	release, err := s.pinLock.Exclusive(s.wait)
	if err != nil {
		return err
	}
	defer release()
	now, err := s.now()
	if err != nil {
		return err
	}
	now.seen.changes = 0
	if err := s.counts.write(&now); err != nil {
		return fmt.Errorf("%s: %w", s.counts.path(), err)
	}
	if s.witness == nil {
		return nil
	}
	return s.witness.Note(now.seen.revision)
}

// Decorated returns how many key slots have a key that the token remembers.
func (s *Store) Decorated() (slots []OwnKey, err error) {
	now, err := s.beginView()
	if err != nil {
		return nil, err
	}
	defer now.endView(&err)
	rows, err := now.tx.Query("SELECT DISTINCT "+keySlotNumber+", public FROM records WHERE slot <> ? ORDER BY 1", NoSlot)
	if err != nil {
		return nil, err
	}
	return scanOwnKeys(rows)
}
