// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/keyring"
	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/pkcs11"
)

// generating is what "key generate" is told.
type generating struct {
	*keyTool
	typeName string
	keySlot  uint
	inSlot   bool // --key-slot is given
}

func (x *keyTool) generateCommand() *cobra.Command {
	g := &generating{keyTool: x}
	c := &cobra.Command{
		Use: "generate --type TYPE --label LABEL", Short: "Make a key, and print its pkcs11: URI",
		Long: "Make a key, and print its pkcs11: URI. It is made in a key slot of the SCM where that has keys of the type, and sealed in the token's store otherwise. " +
			"The types are " + strings.Join(keyring.TypeNames(), ", ") + ". Without --id the key gets four random bytes.",
		Example: "  zk_pkcs11-util key generate --type p256 --label www --id 0001",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g.inSlot = c.Flags().Changed("key-slot")
			return g.run()
		},
	}
	c.Flags().StringVar(&g.typeName, "type", "p256", "`TYPE` of the key")
	complete(c, "type", keyring.TypeNames()...)
	c.Flags().UintVar(&g.keySlot, "key-slot", 0, "key slot `N` of the SCM for it, in place of the lowest free one")
	x.addJSON(c)
	return c
}

func (g *generating) run() error {
	if g.label == "" {
		return usagef("\"key generate\" needs --label: the name by which people know the key")
	}
	if err := keyring.CheckType(g.typeName); err != nil {
		return usagef("%w", err) // before the PIN is asked for
	}
	return g.withKeys(g.generate)
}

func (g *generating) generate(r *keyring.Ring) error {
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	id, err := g.newID(keys)
	if err != nil {
		return err
	}
	var wanted []pkcs11.Attribute
	if g.inSlot {
		wanted = append(wanted, keyring.Number(pkcs11.CKA_ZK_SLOT, g.keySlot))
	}
	k, err := r.Generate(g.typeName, g.label, id, wanted...)
	if err != nil {
		return g.whyNot(err)
	}
	return g.report(r, k, keys)
}

// newID is the id that was asked for, or one that no key has.
func (g *generating) newID(keys []*keyring.Key) ([]byte, error) {
	id := g.choice.ID
	if !g.choice.HasID {
		id = make([]byte, 4)
		rand.Read(id)
	}
	for _, k := range keys {
		if (keyring.Choice{ID: id, HasID: true}).Fits(k.Label, k.ID) {
			return nil, fmt.Errorf("the key %q (%s) has the --id %x already; give another --id, or none for one of its own, or \"key delete --id %[3]x\" first", k.Label, k.Place(), id)
		}
	}
	return id, nil
}

// whyNot says what the codes mean for a key of this type.
func (g *generating) whyNot(err error) error {
	switch {
	case errors.Is(err, pkcs11.CKR_MECHANISM_INVALID), errors.Is(err, pkcs11.CKR_CURVE_NOT_SUPPORTED):
		return fmt.Errorf("this token makes no keys of the type %s: no key slot holds them, or sealed_keys = false keeps them away (%w)", g.typeName, err)
	case g.inSlot && errors.Is(err, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID):
		return fmt.Errorf("key slots hold keys of the types p256, secp256k1, ed25519 and x25519, and none of the type %s; "+
			"leave out --key-slot, and the key is sealed in the token's store (%w)", g.typeName, err)
	case g.inSlot && errors.Is(err, pkcs11.CKR_ATTRIBUTE_VALUE_INVALID) && !scm.Slot(g.keySlot).User():
		return fmt.Errorf("key slot %d is none in which keys are made: those are %d to %d; \"scm slots\" shows which of them are in use, "+
			"and without --key-slot the lowest free one is taken (%w)", g.keySlot, scm.FirstUser, scm.LastUser, err)
	case g.inSlot && (errors.Is(err, pkcs11.CKR_ATTRIBUTE_VALUE_INVALID) || errors.Is(err, pkcs11.CKR_TEMPLATE_INCONSISTENT)):
		return fmt.Errorf("key slot %d is taken, or none for a key of the type %s; \"scm slots\" shows those in use, and without --key-slot the lowest free one is taken (%w)", g.keySlot, g.typeName, err)
	}
	return err
}

// report prints the URI alone to the standard output, which scripts take.
func (g *generating) report(r *keyring.Ring, k *keyring.Key, before []*keyring.Key) error {
	info, err := r.Provider.GetTokenInfo(r.Slot)
	if err != nil {
		return err
	}
	e := entryOf(k, keyring.TokenURI(info.Label, info.Serial))
	fmt.Fprintf(g.errs, "The key %q (%s) is made: id %s, %s, token %q\n", k.Label, k.Type, e.ID, k.Place(), info.Label)
	for _, other := range before {
		if other.Label == k.Label {
			fmt.Fprintf(g.errs, "The key with the id %x has this label, too: name them by --id\n", other.ID)
		}
	}
	return g.print(keySchema, e, e.printURI)
}

func (k keyEntry) printURI(w io.Writer) { fmt.Fprintln(w, k.URI) }
