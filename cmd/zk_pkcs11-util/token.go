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
	ask := &prompter{in: c.InOrStdin(), err: c.ErrOrStderr()}
	err := withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := f.chooseSlot(p, settings); err != nil {
			return err
		}
		return f.initTokenIn(p, ask)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The token has been initialized and is in slot %d\n", f.slot)
	fmt.Fprintf(c.ErrOrStderr(), unrecoverable, f.slot)
	return nil
}

// initTokenIn initialises the token in a slot, with PINs that are asked for.
func (f *flags) initTokenIn(p *pkcs11.Provider, ask *prompter) error {
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
	return withSession(p, f.slot, pkcs11.CKU_SO, so, func(session uint) error { return p.InitPIN(session, pin) })
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
	if f.serial == "" && !f.tokenGiven {
		return errors.New("--delete-token needs --serial or --token")
	}
	var t namedToken
	err := withProvider(func(p *pkcs11.Provider, c config.Config) (err error) {
		t, err = f.findToken(p, c)
		return err
	})
	if err != nil {
		return err
	}
	if err := setup.Destroy(t.state); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The token with the serial number %s is deleted\n", t.serial)
	return nil
}

// namedToken is where a token is that was named.
type namedToken struct {
	slot          uint
	serial, state string
}

// findToken finds the only token with the serial number and the label that are given.
func (f *flags) findToken(p *pkcs11.Provider, c config.Config) (found namedToken, err error) {
	n := 0
	for id, s := range c.Slots {
		t, err := p.GetTokenInfo(uint(id))
		if err != nil || f.serial != "" && t.Serial != f.serial || f.tokenGiven && t.Label != f.token {
			continue
		}
		found, n = namedToken{uint(id), t.Serial, s.State}, n+1
	}
	switch {
	case n == 1:
		return found, nil
	case n > 1:
		return found, fmt.Errorf("%d tokens have the label %q; name one by --serial, or by --slot", n, f.token)
	case f.tokenGiven:
		return found, fmt.Errorf("no token has the label %q; --show-slots lists them", f.token)
	}
	return found, fmt.Errorf("no token has the serial number %q; --show-slots lists them", f.serial)
}

// chooseSlot takes the slot of the token that --token names.
func (f *flags) chooseSlot(p *pkcs11.Provider, c config.Config) error {
	if !f.tokenGiven {
		return nil
	}
	if f.slotGiven {
		return errors.New("--token and --slot both name a token; give one of them")
	}
	t, err := f.findToken(p, c)
	f.slot = t.slot
	return err
}
