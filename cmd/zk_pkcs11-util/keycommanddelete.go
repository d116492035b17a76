// SPDX-License-Identifier: Apache-2.0

package main

import (
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
	if err := x.checkWhole(k, "its public half alone would be deleted"); err != nil {
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
	if k.KeySlot != keyring.NoSlot && !k.HasFirstOf(names) {
		return x.confirmUnlessYes(fmt.Sprintf("The key in key slot %d loses the name %q with the id %x, and stays", k.KeySlot, k.Label, k.ID) + certificatesText(k))
	}
	if err := checkDeletable(r, k, len(names)); err != nil {
		return err
	}
	derived, err := r.Derived(k)
	if err == nil {
		err = r.AddCertificates(k, derived)
	}
	if err != nil {
		return err
	}
	return x.confirmUnlessYes(x.whatGoes(k, derived))
}

func (x *keyTool) confirmUnlessYes(what string) error {
	if x.yes {
		return nil
	}
	return x.ask.confirm(what)
}

func (k keyEntry) printDeleted(w io.Writer) {
	fmt.Fprintf(w, "The key %q with the id %s is deleted\n", k.Label, k.ID)
}

// checkDeletable says why a key cannot go, before anybody is asked, and before its certificates go.
func checkDeletable(r *keyring.Ring, k *keyring.Key, objects int) error {
	kept, err := r.IsKept(k)
	inSlot := k.KeySlot != keyring.NoSlot
	switch {
	case err != nil:
		return err
	case inSlot && scm.Slot(k.KeySlot).Permanent():
		return fmt.Errorf("the key in key slot %d is permanent: it is part of the SCM and cannot be deleted; \"key name\" gives it a name", k.KeySlot)
	case kept:
		return fmt.Errorf("the key %q cannot be deleted: it says so itself (CKA_DESTROYABLE is false)", k.Label)
	case inSlot && objects > len(k.Objects):
		return fmt.Errorf("the key in key slot %d has further names, by which programs may use it; delete those first", k.KeySlot)
	}
	return nil
}

// whatGoes names what is about to be deleted.
func (x *keyTool) whatGoes(k *keyring.Key, derived []*keyring.Key) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The token in slot %d loses for good the key %q: %s, id %x, %s", x.slot, k.Label, k.Type, k.ID, k.Place())
	for _, other := range derived {
		fmt.Fprintf(&b, "\n  and the key %q, which is derived from it: %s, id %x, %s", other.Label, other.Type, other.ID, other.Place())
	}
	return b.String() + certificatesText(k)
}

func certificatesText(k *keyring.Key) string {
	var b strings.Builder
	for _, c := range k.Certificates {
		fmt.Fprintf(&b, "\n  and the certificate %q of %s", c.Label, c.Summary())
	}
	return b.String()
}
