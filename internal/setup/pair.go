// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// A soft SCM and a token are made where there is neither, or where the other one was never
// initialised. Else one of them is lost, and must not be made anew: see
// docs/adr/0026-bond.md.

// wayOut is what an administrator does when a file is lost.
const wayOut = "put it back, or begin anew by moving the other files away, too; \"zk_pkcs11-util doctor\" names the command"

// mayMake answers why no soft SCM may be made where there is none, as err says.
func (o opener) mayMake(a access, err error) error {
	options := o.storeOptions(a)
	options.Existing, options.ReadOnly = true, true
	tokens, opened := store.Open(o.slot.State, options)
	if errors.Is(opened, store.ErrMissing) {
		return nil
	}
	if opened != nil {
		return fmt.Errorf("the soft SCM is gone (%w), and its token does not open: %w", err, opened)
	}
	defer tokens.Close()
	token, told := tokens.Pairing()
	if told == nil && !token.Initialized {
		return nil
	}
	return errors.Join(fmt.Errorf("%w: the soft SCM of an initialised token is gone (%w): %s", scm.ErrForeign, err, wayOut), told)
}

// mixed tells files that do not go with their logs from other failures.
func mixed(err error) error {
	if errors.Is(err, store.ErrLog) {
		return fmt.Errorf("%w: %w", scm.ErrForeign, err)
	}
	return err
}

// openStore opens the token of a device. It makes none beside a device that belongs to one.
func (o opener) openStore(a access, device scm.Device) (*store.Store, error) {
	options := o.storeOptions(a)
	if b, can := device.(scm.Bonded); can {
		bonds, err := b.Bonds()
		if err != nil {
			return nil, err
		}
		options.Existing, options.Witness = bonds.Token != nil || bonds.Sealed, b
	}
	if o.log != nil {
		options.Warn = o.log.Warningf
	}
	tokens, err := store.Open(o.slot.State, options)
	if errors.Is(err, store.ErrMissing) {
		return nil, fmt.Errorf("%w: the token of this SCM is gone (%w): %s", scm.ErrForeign, err, wayOut)
	}
	return tokens, err
}

func (o opener) storeOptions(a access) store.Options {
	return store.Options{Mode: a.file, Group: a.group, Process: o.process}
}
