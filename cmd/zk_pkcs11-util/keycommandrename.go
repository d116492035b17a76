// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
)

// renaming is what "key rename" is told.
type renaming struct {
	*keyTool
	toLabel, toID string
	name          keyring.Choice
}

func (x *keyTool) renameCommand() *cobra.Command {
	n := &renaming{keyTool: x}
	c := &cobra.Command{
		Use: "rename [URI]", Short: "Change the label or the id of a key, and of its certificates",
		Example: "  zk_pkcs11-util key rename --label www --to-label www-2026 --to-id 2026",
		Args:    uriWord,
		RunE:    func(c *cobra.Command, _ []string) error { return n.run(c) },
	}
	c.Flags().StringVar(&n.toLabel, "to-label", "", "the new `LABEL`")
	c.Flags().StringVar(&n.toID, "to-id", "", "the new CKA_ID, in `HEX`")
	x.addJSON(c)
	return c
}

func (n *renaming) run(c *cobra.Command) error {
	n.name = keyring.Choice{Label: n.toLabel, HasLabel: c.Flags().Changed("to-label"), HasID: c.Flags().Changed("to-id")}
	if n.name.IsEmpty() {
		return usagef("\"key rename\" needs --to-label or --to-id: what the key is called from now on")
	}
	var err error
	if n.name.HasID {
		if n.name.ID, err = parseID("to-id", n.toID); err != nil {
			return err
		}
	}
	return n.withKeys(n.rename)
}

func (n *renaming) rename(r *keyring.Ring) error {
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	k, err := n.choose(keys)
	if err != nil {
		return err
	}
	if err := errors.Join(n.checkUnused(k, keys), n.checkWhole(k, "its public half alone would be renamed")); err != nil {
		return err
	}
	if err := r.Rename(k, n.name); err != nil {
		return err
	}
	token, err := tokenOf(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(n.errs, "The key is called %q, with the id %x\n", k.Label, k.ID)
	e := entryOf(k, token)
	return n.print(keySchema, e, e.printURI)
}

// checkUnused refuses an id that another key has: programs would find two keys by it.
func (n *renaming) checkUnused(k *keyring.Key, keys []*keyring.Key) error {
	for _, other := range keys {
		if n.name.HasID && other != k && (keyring.Choice{ID: n.name.ID, HasID: true}).Fits(other.Label, other.ID) {
			return fmt.Errorf("the key %q (%s) has the id %x already", other.Label, other.Place(), n.name.ID)
		}
	}
	return nil
}
