// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Sealed tells whether a secret seals the device, be it open or not in this
// process. It is what the device was last known to be when its flash cannot be
// read.
func (d *Device) Sealed() bool {
	f, _ := d.current()
	return f == nil || f.root != nil
}

// Seal makes a new root key, seals every private key anew under it, and the
// root key to secret. The device stays open for this process. With
// Options.Seal SealDevice no secret is needed afterwards: the root key is left,
// or put, in its file.
func (d *Device) Seal(secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("empty secret: %w", scm.ErrInput)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(); err != nil {
		return err
	}
	if d.root == nil {
		return scm.ErrSealed
	}
	if d.options.Seal == SealDevice && d.flash.root == nil {
		return nil
	}
	next := newRoot()
	err := d.file.Update(func(tx *sql.Tx) error { return d.reseal(tx, next, secret) })
	if err != nil {
		next.destroy()
		return fault(err)
	}
	d.root.destroy()
	d.root = next
	d.tidy()
	return nil
}

// reseal replaces root by next in the flash.
func (d *Device) reseal(tx *sql.Tx, next *root, secret []byte) error {
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
	sealed, err := d.keep(next, secret)
	if err != nil {
		return err
	}
	return writeRoot(tx, next.id, sealed)
}

// keep returns the root key sealed to the secret, or nil after it has put it in
// its file.
func (d *Device) keep(r *root, secret []byte) (sealed []byte, err error) {
	if d.options.Seal == SealDevice {
		return nil, d.rootKey.write(r)
	}
	return r.sealTo(secret)
}

func moveKey(tx *sql.Tx, k sealedKey, from, to *root) error {
	secret := make([]byte, secretSize)
	defer clear(secret)
	if err := from.unseal(k.Key, k.blob, secret); err != nil {
		return err
	}
	return writeKey(tx, to, k.Key, secret)
}

// Unseal opens the device for this process. A device whose root key lies in its
// file is open to everybody and takes any secret.
func (d *Device) Unseal(secret []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(); err != nil {
		return err
	}
	if d.flash.root == nil {
		return nil
	}
	r, err := openRoot(d.flash.rootID, d.flash.root, secret)
	if err != nil {
		return err
	}
	d.root.destroy()
	d.root = r
	return nil
}

// Forget gives up the root key, every private key in memory and the volatile
// keys. A device whose root key lies in its file opens again by itself.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reset()
}
