// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// tokenMade is what "token init" tells of a new token.
type tokenMade struct {
	Slot   uint   `json:"slot"`
	Label  string `json:"label"`
	Serial string `json:"serial"`
	State  string `json:"state_directory"`
	URI    string `json:"uri"`
}

func newTokenMade(t namedToken) tokenMade {
	return tokenMade{t.slot, t.label, t.serial, t.state, t.uri()}
}

// printText tells where the token is, and its URI to be pasted.
func (t tokenMade) printText(w io.Writer) {
	fmt.Fprintf(w, "Label:           %s\nSerial number:   %s\nState directory: %s\nURI:             %s\n", t.Label, t.Serial, t.State, t.URI)
}

func (x *tokenTool) initCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "init", Short: "Make the token in a slot new, with a label and PINs", Args: cobra.NoArgs,
		SuggestFor: []string{"create", "new", "make"},
		Long: "Make the token in a slot new, with a label and PINs. It asks for PINs that no option names. A token that has keys loses them: they are counted and named, " +
			"and --yes goes on without a question. Through a pipe it reads the SO PIN twice and the user PIN twice, whatever the token has.",
		Example: "  zk_pkcs11-util token init --slot 0 --label device\n" +
			"  zk_pkcs11-util token init --label device --so-pin-fd 3 --pin-fd 4 --yes",
		RunE: func(*cobra.Command, []string) error { return x.makeToken() },
	}
	c.Flags().StringVar(&x.label, "label", "", "`LABEL` of the new token, at most 32 bytes")
	c.Flags().BoolVar(&x.free, "free", false, "take the first slot whose token is not initialised")
	x.addYes(c)
	x.addSO(c)
	return c
}

func (x *tokenTool) makeToken() error {
	if x.label == "" {
		return usagef("\"token init\" needs --label, by which programs find the token")
	}
	t, err := x.initialised(x.ask)
	if err != nil {
		return err
	}
	fmt.Fprintf(x.ask.err, unrecoverable, x.slot)
	return x.print("token-init/1", t, func(w io.Writer) {
		fmt.Fprintf(w, "The token in slot %d is new\n", t.Slot)
		t.printText(w)
	})
}

// addYes gives a command the option not to be asked.
func (x *tokenTool) addYes(c *cobra.Command) {
	c.Flags().BoolVar(&x.yes, "yes", false, "do not ask before something is lost")
}

// addSO gives a command the options that say where the SO PIN comes from.
func (x *tokenTool) addSO(c *cobra.Command) { x.soPIN.addTo(c.Flags()) }
