// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
)

// staysOpen tells whether the root key lies in its file for good.
func (d *Device) staysOpen() bool {
	return d.options.Seal == SealDevice && d.flash.root == nil
}

// replaceRoot makes a new root key for an open device, sealed to secret.
func (d *Device) replaceRoot(secret []byte) error {
	if d.staysOpen() {
		return nil
	}
	next := newRoot()
	err := d.file.Update(func(tx *sql.Tx) error { return d.moveKeys(tx, next, secret) })
	if err != nil {
		next.destroy()
		return fault(err)
	}
	d.setRoot(next)
	d.tidy()
	d.purge()
	return nil
}

// setRoot makes r the root key. Others may be using the present one: it stays
// when r is the same key once more.
func (d *Device) setRoot(r *root) {
	old := d.root
	if old != nil && bytes.Equal(old.id, r.id) {
		r.destroy()
		return
	}
	d.root = r
	old.destroy()
}

// moveKeys seals all of the flash under next.
func (d *Device) moveKeys(tx *sql.Tx, next *root, secret []byte) error {
	if err := checkRoot(tx, d.root); err != nil {
		return err
	}
	f, err := readFlash(tx)
	if err != nil {
		return err
	}
	for _, k := range f.keys {
		if err := moveKey(tx, k, d.root, next); err != nil {
			return err
		}
	}
	for name, blob := range f.secrets {
		if err := moveSecret(tx, name, blob, d.root, next); err != nil {
			return err
		}
	}
	sealed, err := d.keep(next, secret)
	if err != nil {
		return err
	}
	return writeRoot(tx, next.id, sealed)
}

func moveKey(tx *sql.Tx, k sealedKey, from, to *root) error {
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

// keep returns the root key sealed to the secret, or nil after it has put it in
// its file.
func (d *Device) keep(r *root, secret []byte) (sealed []byte, err error) {
	if d.options.Seal == SealDevice {
		return nil, d.rootKey.write(r)
	}
	return r.sealTo(secret)
}
