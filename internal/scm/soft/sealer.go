// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// Prepare makes secret unseal the device, too. The first Unseal with it then
// makes a new root key, seals every private key anew under it, and the root key
// to secret; until that the device is sealed as it was before. So a caller who
// stores the secret between Prepare and Unseal never has a device that is sealed
// to a secret which a crash has lost. With Options.Seal SealDevice no secret is
// needed afterwards: the root key is left, or put, in its file.
func (d *Device) Prepare(secret []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.sealable(secret); err != nil {
		return err
	}
	if d.staysOpen() {
		return nil
	}
	sealed, err := d.root.sealTo(secret)
	if err != nil {
		return err
	}
	return fault(d.file.Update(func(tx *sql.Tx) error {
		if err := checkRoot(tx, d.root); err != nil {
			return err
		}
		return writePrepared(tx, sealed)
	}))
}

// sealable checks that the device is open and may be sealed to secret.
func (d *Device) sealable(secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("empty secret: %w", scm.ErrInput)
	}
	return d.open()
}

// Unseal opens the device for this process. A device whose root key lies in its
// file is open to everybody and takes any secret.
func (d *Device) Unseal(pass []byte) error {
	defer secret.Collect()
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if err := d.answer(); err != nil {
			return err
		}
		if d.flash.condition.Destroyed {
			return scm.ErrDestroyed
		}
		prepared, err := d.openRoot(pass)
		if err != nil || !prepared {
			return err
		}
		switch err := d.replaceRoot(pass); {
		case errors.Is(err, scm.ErrReadOnly):
			return nil // open, but what Prepare began has to wait
		case !errors.Is(err, scm.ErrSealed):
			return err
		}
		// Another process has just replaced the root key: look again.
	}
}

// openRoot opens the root key of the flash with the secret, and tells whether
// it is the secret of Prepare.
func (d *Device) openRoot(secret []byte) (prepared bool, err error) {
	f := d.flash
	if f.prepared != nil {
		if r, err := openRoot(f.rootID, f.prepared, secret); err == nil {
			d.setRoot(r)
			return true, nil
		}
	}
	if f.root == nil {
		return false, nil
	}
	r, err := openRoot(f.rootID, f.root, secret)
	if err != nil {
		return false, err
	}
	d.setRoot(r)
	return false, nil
}

// Forget gives up the root key, every private key in memory, the volatile keys and
// the SLIP39 session. A device whose root key lies in its file opens again by itself.
func (d *Device) Forget() {
	d.dropSession()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reset()
}
