// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
)

func (x *keyTool) nameCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "name N --label LABEL [--id HEX]", Short: "Give the key in key slot N a label and an id, and print its pkcs11: URI",
		Long: "Give the key in key slot N of the SCM a label and an id, and print its pkcs11: URI; --use-zkslot N does the same. " +
			"A key that has a name gets a further one, which needs an --id of its own. Certificates go with the first name.",
		Example: "  zk_pkcs11-util key name 0 --token web --label iotkey --id 0001",
		Args:    keySlotWord,
		RunE:    func(_ *cobra.Command, words []string) error { return x.nameKey(words[0]) },
	}
	x.addJSON(c)
	return c
}

// keySlotWord is the argument of a command that takes the number of a key slot.
func keySlotWord(_ *cobra.Command, words []string) error {
	if len(words) != 1 {
		return usagef("\"key name\" takes the number of one key slot, 0 for the first; \"key list\" shows them")
	}
	if _, err := strconv.Atoi(words[0]); err != nil {
		return usagef("%q is no number of a key slot; \"key list\" shows them", words[0])
	}
	return nil
}

func (x *keyTool) nameKey(word string) error {
	if x.label == "" {
		return usagef("\"key name\" needs --label")
	}
	slot, err := strconv.Atoi(word)
	if err != nil {
		return err
	}
	return x.withKeys(func(r *keyring.Ring) error { return x.nameKeyIn(r, slot) })
}

func (x *keyTool) nameKeyIn(r *keyring.Ring, slot int) error {
	follow, err := followers(r, slot)
	if err != nil {
		return err
	}
	if err := nameKey(r.Provider, r.Session, slot, x.choice.Template()); err != nil {
		return err
	}
	if err := r.RenameCertificates(follow, x.choice); err != nil {
		return err
	}
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.KeySlot == slot && x.choice.Fits(k.Label, k.ID) {
			return x.tellName(r, k)
		}
	}
	return fmt.Errorf("the key in key slot %d does not show its new name", slot)
}

// followers are the certificates of a key that is about to get its first name: by the old id nobody would find them.
func followers(r *keyring.Ring, slot int) ([]*keyring.Certificate, error) {
	named, err := r.Provider.IsNamed(r.Session, slot)
	if err != nil || named {
		return nil, nil // nameKey tells it
	}
	keys, err := r.Keys()
	for _, k := range keys {
		if k.KeySlot == slot {
			return k.Certificates, nil
		}
	}
	return nil, err
}

func (x *keyTool) tellName(r *keyring.Ring, k *keyring.Key) error {
	token, err := tokenOf(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(x.errs, "The key in key slot %d is named %q\n", k.KeySlot, x.label)
	e := entryOf(k, token)
	return x.print(keySchema, e, e.printURI)
}
