// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"

	"libzk_pkcs11/internal/scm/soft/settings"
)

// staysOpen reports whether the root key lies in its file for good.
func (d *Device) staysOpen(s *snapshot) bool {
	return d.options.Seal == settings.SealDevice && s.sealed == nil
}

// replaceRoot makes a new root key for an open device, sealed to secret. The caller holds
// sealing.
func (d *Device) replaceRoot(secret []byte) error {
	s := d.known.Load()
	if s.closed {
		return errClosed
	}
	if d.staysOpen(s) {
		return nil
	}
	next := newRoot()
	// A call that reads the flash before this returns finds it under its own root key.
	d.replace(func(s *snapshot) { s.next = next })
	err := d.file.Update(func(tx *sql.Tx) error { return d.moveKeys(tx, s.root, next, secret) })
	d.replace(func(s *snapshot) {
		s.next = nil
		if err == nil {
			s.root, s.flash, s.steady = next, new(flash), false
		}
	})
	if err != nil {
		next.destroy()
		return deviceError(err)
	}
	s.root.destroy()
	d.removeRootFile()
	d.purgeLog()
	return nil
}

// setRoot makes r the root key, and reports whether it is that of the flash. Others may be
// using the present one: it stays when r is the same key once more.
func (d *Device) setRoot(r *root) (done bool) {
	useless := r
	d.replace(func(s *snapshot) {
		done = s.rest != nil && bytes.Equal(s.rootID, r.id)
		if done && s.root == nil {
			s.root, useless = r, nil
			s.era++
		}
	})
	useless.destroy()
	return done
}

// moveKeys seals all of the flash under another root key.
func (d *Device) moveKeys(tx *sql.Tx, old, next *root, secret []byte) error {
	if err := checkRoot(tx, old); err != nil {
		return err
	}
	f, err := readFlash(tx)
	if err != nil {
		return err
	}
	for _, k := range f.allKeys() {
		if err := moveKey(tx, k, old, next); err != nil {
			return err
		}
	}
	for name, blob := range f.secrets {
		if err := moveSecret(tx, name, blob, old, next); err != nil {
			return err
		}
	}
	sealed, err := d.storeRoot(next, secret)
	if err != nil {
		return err
	}
	if err := bindOffered(tx); err != nil {
		return err
	}
	return writeRoot(tx, next.id, sealed)
}

func moveKey(tx *sql.Tx, k *sealedKey, from, to *root) error {
	secret, err := from.unsealKey(k)
	if err != nil {
		return err
	}
	defer clear(secret)
	return resealKey(tx, to, k, secret)
}

func moveSecret(tx *sql.Tx, name string, blob []byte, from, to *root) error {
	secret, err := from.unseal(secretContext(name), blob, keySize)
	if err != nil {
		return err
	}
	defer clear(secret)
	return writeSecret(tx, to, name, secret)
}

// storeRoot returns the root key sealed to the secret, or nil after it has put it in
// its file.
func (d *Device) storeRoot(r *root, secret []byte) (sealed []byte, err error) {
	if d.options.Seal == settings.SealDevice {
		return nil, d.rootKey.write(r)
	}
	return r.sealTo(secret)
}
