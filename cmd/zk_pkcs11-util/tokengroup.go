// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/pkcs11"
)

// tokenTool is what the commands share that name a token and log in to it.
type tokenTool struct {
	flags
	ask *prompter
	out io.Writer
}

// newTokenCommand has the commands that are about a token as a whole.
func newTokenCommand() *cobra.Command {
	x := &tokenTool{}
	c := commandGroup("token", "Back up a token, write down what opens it, and bring it to another SCM",
		x.backupCommand(), x.restoreCommand(), x.recoveryCommand())
	x.addTo(c)
	return c
}

// addTo gives a command, and those below it, the options that name a token and the user's PIN.
func (x *tokenTool) addTo(c *cobra.Command) {
	x.addNamed(c, "token")
}

// addNamed is addTo where the label of the token is an option of another name.
func (x *tokenTool) addNamed(c *cobra.Command, label string) {
	c.PersistentPreRun = func(c *cobra.Command, _ []string) {
		x.ask = &prompter{in: c.InOrStdin(), err: c.ErrOrStderr()}
		x.out = c.OutOrStdout()
		given := c.Flags().Changed
		x.pinGiven, x.slotGiven, x.tokenGiven = given("pin"), given("slot"), given(label)
	}
	p := c.PersistentFlags()
	p.UintVar(&x.slot, "slot", 0, "slot `ID` of the token")
	p.StringVar(&x.token, label, "", "`LABEL` of the token, in place of --slot")
	p.StringVar(&x.pin, "pin", "", "user `PIN` (visible to other users of the machine; better left to the prompt)")
}

// withLogin runs do in a session of the token that is named, in which its user is logged in.
func (x *tokenTool) withLogin(do func(p *pkcs11.Provider, session uint) error) error {
	return withProvider(func(p *pkcs11.Provider, settings config.Config) error {
		if err := x.chooseSlot(p, settings); err != nil {
			return err
		}
		pin, err := x.ask.secret("User PIN", option{x.pin, x.pinGiven})
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
