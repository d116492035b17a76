// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/setup"
	"libzk_pkcs11/pkcs11"
)

// doDeleteToken removes the state of the token with a serial number. In scripts of guides there is
// nobody to be asked, and no --yes.
func (f *flags) doDeleteToken(c *cobra.Command) error {
	if !f.isSearched() {
		return usagef("--delete-token needs --serial or --token; \"token list\" shows them")
	}
	ask := newPrompter(c)
	f.yes = f.yes || !ask.isTerminal()
	t, err := f.deleted(ask, f.findToken) // --slot never meant anything to it
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "The token with the serial number %s is deleted\n", t.serial)
	return nil
}

func (x *tokenTool) deleteCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "delete", Short: "Delete a token; the keys of a soft SCM go with it", Args: cobra.NoArgs,
		SuggestFor: []string{"remove", "destroy", "rm"},
		Long: "Delete a token. What goes with it is counted and named: with a soft SCM that is all of its keys. --yes goes on without a question. " +
			"The token has to be named by --token, --serial or --slot.",
		Example: "  zk_pkcs11-util token delete --token device",
		RunE:    func(*cobra.Command, []string) error { return x.deleteToken() },
	}
	x.addYes(c)
	return c
}

func (x *tokenTool) deleteToken() error {
	if !x.isSearched() && !x.bySlot.Changed {
		return usagef("\"token delete\" needs --token, --serial or --slot; \"token list\" shows them")
	}
	t, err := x.deleted(x.ask, x.chosen)
	if err != nil {
		return err
	}
	return x.print("token-delete/1", newTokenMade(t), func(w io.Writer) {
		fmt.Fprintf(w, "The token %q with the serial number %s is deleted; its state directory was %s\n", t.label, t.serial, t.state)
	})
}

// deleted deletes the token that find names, once that is confirmed.
func (f *flags) deleted(ask *prompter, find func(*pkcs11.Provider, config.Config) (namedToken, error)) (t namedToken, err error) {
	err = withProvider(func(p *pkcs11.Provider, c config.Config) error {
		if t, err = find(p, c); err != nil {
			return err
		}
		return f.confirmDeletion(p, ask, t)
	})
	if err != nil {
		return t, err
	}
	return t, setup.Destroy(t.state)
}

// confirmDeletion tells what goes with a token, and asks whether that is meant.
func (f *flags) confirmDeletion(p *pkcs11.Provider, ask *prompter, t namedToken) error {
	if f.yes {
		return nil
	}
	l, err := p.LossesOf(t.slot)
	if err != nil {
		return ask.confirm(fmt.Sprintf("The token %q in %s is to be deleted, and what it has cannot be counted: %s", t.label, t.state, explain(err)))
	}
	return ask.confirm(fmt.Sprintf("The token %q in %s is to be deleted.\n%s%s", t.label, t.state, lossesText(l, t.slot), lostWithDevice(l, t.slot)))
}

// lostWithDevice tells what goes with a soft SCM. Nobody deletes one in hardware.
func lostWithDevice(l pkcs11.Losses, slot uint) string {
	if o, err := slotOptions(slot); err != nil || o.Hardware {
		return ""
	}
	text := fmt.Sprintf("\nThe soft SCM goes with it: %s of its factory, %s and %s of other programs, and all wallets",
		count(l.Factory, "key"), count(l.Others, "key"), count(l.Foreign, "foreign key"))
	if len(l.Named) > 0 {
		text += "; with them:" + listed(slotTexts(l.Named))
	}
	return text
}
