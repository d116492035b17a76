// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// Bonds tells to which token the SCM belongs. It costs no look at the flash that has not
// changed.
func (d *Device) Bonds() (scm.Bonds, error) {
	s, err := d.refresh()
	if err != nil {
		return scm.Bonds{}, err
	}
	return scm.Bonds{
		Serial: d.serial, Token: slices.Clone(s.bond), Next: slices.Clone(s.offered), Sealed: s.sealed != nil,
	}, nil
}

// Offer notes the bond of a token to which the SCM is about to belong.
func (d *Device) Offer(bond []byte) error {
	return d.transact(func(tx *sql.Tx, e *effect) error {
		e.changeRest().offered = bond
		_, err := tx.Exec("UPDATE scm SET offered = ?", bond)
		return err
	})
}

// Bind makes the SCM one that belongs to the token of a bond. It writes nothing when that
// is so already.
func (d *Device) Bind(bond []byte) error {
	now, err := d.Bonds()
	if err != nil || now.Next == nil && bytes.Equal(now.Token, bond) {
		return err
	}
	return d.transact(func(tx *sql.Tx, e *effect) error {
		r := e.changeRest()
		r.bond, r.offered = bond, nil
		_, err := tx.Exec("UPDATE scm SET bond = ?, offered = NULL", bond)
		return err
	})
}

// bindOffered does what Bind does with what was offered, if anything was: a caller
// that unseals the SCM with the secret of Prepare has stored what belongs to it.
func bindOffered(tx *sql.Tx) error {
	_, err := tx.Exec("UPDATE scm SET bond = offered, offered = NULL WHERE offered IS NOT NULL")
	return err
}

// unbind makes the SCM one that belongs to no token.
func unbind(tx *sql.Tx) error {
	_, err := tx.Exec("UPDATE scm SET bond = NULL, offered = NULL")
	return err
}

// Seals reports whether the root key will not lie in its file.
func (d *Device) Seals() bool { return d.options.Seal == settings.SealPIN }

// SealedTo reports whether the root key is sealed to a secret: the one that unseals it, or
// the one of Prepare, by which it is sealed once there is room to write.
func (d *Device) SealedTo(secret []byte) (bool, error) {
	s, err := d.refresh()
	if err != nil {
		return false, err
	}
	for _, sealed := range [][]byte{s.sealed, s.prepared} {
		if sealed == nil {
			continue
		}
		if r, err := openRoot(s.rootID, sealed, secret); err == nil {
			r.destroy()
			return true, nil
		}
	}
	return false, nil
}

// countChange counts a change of the flash, in its transaction. What it counts is told to
// nobody before that is committed: a token that has noted more takes the flash for an older copy.
func (d *Device) countChange(tx *sql.Tx, e *effect) error {
	return tx.QueryRow("UPDATE scm SET changes = changes + 1, seen = max(seen, ?) RETURNING changes", d.saw.Load()).Scan(&e.changes)
}

// Changes reads the flash.
func (d *Device) Changes() (changes, seen uint64, err error) {
	err = d.file.View(func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT changes, seen FROM scm").Scan(&changes, &seen)
	})
	if err == nil {
		d.counted.Store(changes)
	}
	return changes, seen, deviceError(err)
}

// Counted is the number of changes as this process saw it last.
func (d *Device) Counted() uint64 { return d.counted.Load() }

// Saw tells what is noted with the next change.
func (d *Device) Saw(seen uint64) { d.saw.Store(seen) }

// Note notes it at once.
func (d *Device) Note(seen uint64) error {
	d.saw.Store(seen)
	return d.transact(func(tx *sql.Tx, _ *effect) error {
		_, err := tx.Exec("UPDATE scm SET seen = ?", seen)
		return err
	})
}
