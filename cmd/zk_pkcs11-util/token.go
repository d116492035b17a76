// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/pkcs11"
)

// doInitToken initialises a token and sets both PINs. The only digits in what
// it prints are those of the slot ID: scripts cut everything else away.
func (f *flags) doInitToken(c *cobra.Command) error {
	if f.label == "" {
		return errors.New("--init-token needs --label")
	}
	if len(f.label) > 32 {
		return errors.New("a label has at most 32 bytes")
	}
	return withProvider(func(p *pkcs11.Provider, _ config.Config) error {
		ask := &prompter{in: c.InOrStdin(), err: c.ErrOrStderr()}
		if err := f.confirmLosses(p, ask); err != nil {
			return err
		}
		so, pin, err := f.newPINs(ask, p)
		if err != nil {
			return err
		}
		err = p.InitToken(f.slot, so, []byte(f.label))
		switch err {
		case nil:
		case pkcs11.CKR_PIN_LOCKED:
			return errors.New("the SO PIN is locked after too many wrong attempts; only --delete-token is left, which takes the keys along")
		case pkcs11.CKR_PIN_INCORRECT:
			return errors.New("the SO PIN is wrong; too many wrong ones lock it")
		default:
			return err
		}
		err = withSession(p, f.slot, pkcs11.CKU_SO, so, func(session uint) error { return p.InitPIN(session, pin) })
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "The token has been initialized and is in slot %d\n", f.slot)
		return nil
	})
}

// newPINs returns the SO PIN, new unless the token has one already, and the new
// user PIN.
func (f *flags) newPINs(ask *prompter, p *pkcs11.Provider) (so, pin []byte, err error) {
	info, err := p.GetTokenInfo(f.slot)
	if err != nil {
		return nil, nil, err
	}
	askSO := ask.newSecret
	if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
		askSO = ask.secret
	}
	if so, err = askSO("SO PIN", option{f.soPIN, f.soGiven}); err != nil {
		return nil, nil, err
	}
	if pin, err = ask.newSecret("User PIN", option{f.pin, f.pinGiven}); err != nil {
		return nil, nil, err
	}
	for _, x := range [][]byte{so, pin} {
		if len(x) < int(info.MinPIN) || len(x) > int(info.MaxPIN) {
			return nil, nil, pkcs11.CKR_PIN_LEN_RANGE
		}
	}
	return so, pin, nil
}

// doDeleteToken removes the state of the token with a serial number.
func (f *flags) doDeleteToken(c *cobra.Command) error {
	if f.serial == "" {
		return errors.New("--delete-token needs --serial")
	}
	state, err := f.stateOf(f.serial)
	if err != nil {
		return err
	}
	if err := setup.Destroy(state); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The token with the serial number %s is deleted\n", f.serial)
	return nil
}

// stateOf finds the state directory of the token with a serial number.
func (f *flags) stateOf(serial string) (string, error) {
	var state string
	err := withProvider(func(p *pkcs11.Provider, c config.Config) error {
		for id, s := range c.Slots {
			if t, err := p.GetTokenInfo(uint(id)); err == nil && t.Serial == serial {
				state = s.State
				return nil
			}
		}
		return fmt.Errorf("no token has the serial number %q; --show-slots lists them", serial)
	})
	return state, err
}
