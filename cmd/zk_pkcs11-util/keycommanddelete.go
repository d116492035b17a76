// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
	"libzk_pkcs11/internal/scm"
)

func (x *keyTool) deleteCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "delete [URI]", Short: "Delete a key for good, and its certificates",
		Long: "Delete a key for good, and its certificates, which nobody can use without it. What goes is named, and asked about. " +
			"The keys in the permanent key slots stay: of them only further names can be deleted.",
		Example: "  zk_pkcs11-util key delete --token web --id 0001",
		Args:    uriWord,
		RunE:    func(*cobra.Command, []string) error { return x.withKeys(x.deleteKey) },
	}
	c.Flags().BoolVar(&x.yes, "yes", false, "do not ask for confirmation")
	x.addJSON(c)
	return c
}

func (x *keyTool) deleteKey(r *keyring.Ring) error {
	k, err := x.chosenKey(r)
	if err != nil {
		return err
	}
	if err := x.confirmDeletion(r, k); err != nil {
		return err
	}
	token, err := tokenOf(r)
	if err != nil {
		return err
	}
	if err := r.Delete(k); err != nil {
		return err
	}
	e := entryOf(k, token)
	return x.print("key-deleted/1", e, e.printDeleted)
}

// confirmDeletion asks whether a key is to go that can.
func (x *keyTool) confirmDeletion(r *keyring.Ring, k *keyring.Key) error {
	names, err := r.NamesIn(k)
	if err != nil {
		return err
	}
	whole := k.KeySlot == keyring.NoSlot || k.HasFirstOf(names)
	if whole {
		err = errors.Join(checkDeletable(k, len(names)), r.AddCertificates(k))
	}
	if err != nil || x.yes {
		return err
	}
	return x.ask.confirm(x.whatGoes(k, whole))
}

func (k keyEntry) printDeleted(w io.Writer) {
	fmt.Fprintf(w, "The key %q with the id %s is deleted\n", k.Label, k.ID)
}

// checkDeletable says why a key cannot go, before anybody is asked.
func checkDeletable(k *keyring.Key, objects int) error {
	switch {
	case k.KeySlot == keyring.NoSlot:
		return nil
	case scm.Slot(k.KeySlot).Permanent():
		return fmt.Errorf("the key in key slot %d is permanent: it is part of the SCM and cannot be deleted; \"key name\" gives it a name", k.KeySlot)
	case objects > len(k.Objects):
		return fmt.Errorf("the key in key slot %d has further names, by which programs may use it; delete those first", k.KeySlot)
	}
	return nil
}

// whatGoes names what is about to be deleted.
func (x *keyTool) whatGoes(k *keyring.Key, whole bool) string {
	var b strings.Builder
	if whole {
		fmt.Fprintf(&b, "The token in slot %d loses for good the key %q: %s, id %x, %s", x.slot, k.Label, k.Type, k.ID, k.Place())
	} else {
		fmt.Fprintf(&b, "The key in key slot %d loses the name %q with the id %x, and stays", k.KeySlot, k.Label, k.ID)
	}
	for _, c := range k.Certificates {
		fmt.Fprintf(&b, "\n  and the certificate %q", c.Label)
		if c.X509 != nil {
			fmt.Fprintf(&b, " of %s, valid until %s", c.X509.Subject, c.X509.NotAfter.UTC().Format("2006-01-02"))
		}
	}
	return b.String()
}
