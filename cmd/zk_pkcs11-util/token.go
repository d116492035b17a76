// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// doInitToken initialises a token and sets both PINs. The only digits in what
// it prints are those of the slot ID: scripts cut everything else away.
func (f *flags) doInitToken(c *cobra.Command) error {
	if f.label == "" {
		return usagef("--init-token needs --label")
	}
	t, err := f.initialised(newPrompter(c))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The token has been initialized and is in slot %d\n", f.slot)
	t.printText(c.ErrOrStderr())
	fmt.Fprintf(c.ErrOrStderr(), unrecoverable, f.slot)
	return nil
}

// longestLabel is how many bytes a label has at most.
const longestLabel = 32

// initialised initialises the token that is named, and returns what it is then.
func (f *flags) initialised(ask *prompter) (t tokenMade, err error) {
	if len(f.label) > longestLabel {
		return t, usagef("the label %q has %d bytes, and a label has at most %d", f.label, len(f.label), longestLabel)
	}
	err = withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := f.chooseSlotForInit(p, settings); err != nil {
			return err
		}
		if err := f.initTokenIn(p, ask); err != nil {
			return err
		}
		info, err := p.GetTokenInfo(f.slot)
		t = newTokenMade(namedToken{f.slot, info.Label, info.Serial, settings.Slots[f.slot].State})
		return err
	})
	return t, err
}

// lockedSO says what is left when the SO PIN is locked.
const lockedSO = "the SO PIN is locked after too many wrong attempts; the user PIN works as before, but nobody unlocks it, and only " +
	"\"token delete\" (--delete-token) makes room for a new token, which takes the keys along"

// initTokenIn initialises the token in a slot, with PINs that are asked for.
func (f *flags) initTokenIn(p *pkcs11.Provider, ask *prompter) error {
	so, pin, err := f.askedForInit(p, ask)
	if err != nil {
		return err
	}
	err = p.InitToken(f.slot, so, []byte(f.label))
	switch err {
	case nil:
	case pkcs11.CKR_PIN_LOCKED:
		return errors.New(lockedSO)
	default:
		return withTries(p, f.slot, pkcs11.CKU_SO, err)
	}
	return withSession(p, f.slot, pkcs11.CKU_SO, so, func(session uint) error { return p.InitPIN(session, pin) })
}

// askedForInit asks what has to be known before a token is initialised. A user who types is asked first
// whether that is meant. Through a pipe the PINs come first, each twice, whatever the token has, so that a
// script writes the same lines each time, and after them "yes" unless it has --yes.
func (f *flags) askedForInit(p *pkcs11.Provider, ask *prompter) (so, pin []byte, err error) {
	if ask.isTerminal() {
		if err := f.confirmLosses(p, ask); err != nil {
			return nil, nil, err
		}
		return f.newPINs(p, ask)
	}
	if so, pin, err = f.newPINs(p, ask); err != nil {
		return nil, nil, err
	}
	return so, pin, f.confirmLosses(p, ask)
}

// newPINs returns the SO PIN, new unless the token has one already, and the new
// user PIN.
func (f *flags) newPINs(p *pkcs11.Provider, ask *prompter) (so, pin []byte, err error) {
	info, err := p.GetTokenInfo(f.slot)
	if err != nil {
		return nil, nil, err
	}
	askSO := ask.newPIN
	if ask.isTerminal() && info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
		askSO = ask.pin
	}
	if so, err = askSO(&f.soPIN); err != nil {
		return nil, nil, err
	}
	if pin, err = ask.newPIN(&f.userPIN); err != nil {
		return nil, nil, err
	}
	for _, x := range [][]byte{so, pin} {
		if len(x) < int(info.MinPIN) || len(x) > int(info.MaxPIN) {
			return nil, nil, pkcs11.CKR_PIN_LEN_RANGE
		}
	}
	return so, pin, nil
}
