// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"database/sql"
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// Prepare makes secret unseal the device, too. The first Unseal with it then
// makes a new root key, seals every private key anew under it, and the root key
// to secret; until that the device is sealed as it was before. So a caller who
// stores the secret between Prepare and Unseal never has a device that is sealed
// to a secret which a crash has lost. With Options.Seal settings.SealDevice no secret is
// needed afterwards: the root key is left, or put, in its file.
func (d *Device) Prepare(secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("empty secret: %w", scm.ErrInput)
	}
	s, err := d.usable()
	if err != nil || d.staysOpen(s) {
		return err
	}
	sealed, err := s.root.sealTo(secret)
	if err != nil {
		return err
	}
	return d.transact(func(tx *sql.Tx, e *effect) error {
		if err := e.sealedUnder(tx, s.root); err != nil {
			return err
		}
		e.changeRest().prepared = sealed
		return writePrepared(tx, sealed)
	})
}

// Unseal opens the device for this process. A device whose root key lies in its
// file is open to everybody and takes any secret.
func (d *Device) Unseal(pass []byte) error {
	d.sealing.Lock()
	defer d.sealing.Unlock()
	for {
		s, err := d.current()
		if err != nil {
			return err
		}
		r, prepared, err := s.openRoot(pass)
		if err != nil || r == nil {
			return err
		}
		if !d.setRoot(r) {
			continue // the flash has another root key meanwhile
		}
		if !prepared {
			return nil
		}
		switch err := d.replaceRoot(pass); {
		case errors.Is(err, scm.ErrReadOnly), errors.Is(err, scm.ErrFull):
			return nil // open, but what Prepare began has to wait
		case !errors.Is(err, scm.ErrSealed):
			return err
		}
		// Another process has just replaced the root key: look again.
	}
}

// openRoot opens the root key with the secret, and reports whether that is the one of
// Prepare. The root key is nil when it lies in its file, and any secret does.
func (s *snapshot) openRoot(secret []byte) (r *root, prepared bool, err error) {
	if s.prepared != nil {
		if r, err := openRoot(s.rootID, s.prepared, secret); err == nil {
			return r, true, nil
		}
	}
	if s.sealed == nil {
		return nil, false, nil
	}
	r, err = openRoot(s.rootID, s.sealed, secret)
	return r, false, err
}

// Forget gives up the root key, every private key in memory and the volatile keys. A
// device whose root key lies in its file opens again by itself.
func (d *Device) Forget() {
	d.sealing.Lock()
	defer d.sealing.Unlock()
	d.forget()
}
