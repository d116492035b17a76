// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// tokenTool is what the commands share that name a token and log in to it.
type tokenTool struct {
	flags
	output
	newPIN pinSource // that is to be in place of another
	ask    *prompter
	hides  bool // the setting sealed_keys is false: programs do not see keys that are sealed; known once settings are read
}

// newTokenCommand has the commands that are about a token as a whole.
func newTokenCommand() *cobra.Command {
	x := &tokenTool{newPIN: newPINSource()}
	x.soPIN = soPINSource()
	c := commandGroup("token", "List, make, back up and delete tokens, and change their PINs",
		x.listCommand(), x.initCommand(), x.bindCommand(), x.pinCommand(), x.unlockCommand(), x.deleteCommand(),
		x.backupCommand(), x.restoreCommand(), x.recoveryCommand())
	x.addTo(c)
	x.addJSON(c)
	return c
}

// addTo gives a command, and those below it, the options that name a token and the user's PIN.
func (x *tokenTool) addTo(c *cobra.Command) {
	x.addNamed(c, "token")
}

// addNamed is addTo where the label of the token is an option of another name.
func (x *tokenTool) addNamed(c *cobra.Command, label string) {
	c.PersistentPreRunE = x.prepare
	x.tokenName.addTo(c.PersistentFlags(), label)
	x.userPIN = userPINSource()
	x.userPIN.addTo(c.PersistentFlags())
}

// prepare notes with what streams a command is called, and reads the PINs that its options name.
func (x *tokenTool) prepare(c *cobra.Command, _ []string) error {
	x.ask = newPrompter(c)
	x.out = c.OutOrStdout()
	return errors.Join(x.userPIN.load(), x.soPIN.load(), x.newPIN.load())
}

// withLogin runs do in a session of the token that is named, in which its user is logged in.
func (x *tokenTool) withLogin(do func(p *pkcs11.Provider, session uint) error) error {
	return withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := x.chooseSlot(p, settings); err != nil {
			return err
		}
		x.hides = !settings.SealedKeys
		pin, err := x.ask.pin(&x.userPIN)
		if err != nil {
			return err
		}
		return withUser(p, x.slot, pin, work{p, do}.inSession)
	})
}

// work is what is done with a provider in a session.
type work struct {
	provider *pkcs11.Provider
	do       func(p *pkcs11.Provider, session uint) error
}

func (w work) inSession(session uint) error { return w.do(w.provider, session) }
