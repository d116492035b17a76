// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"libzk_pkcs11/pkcs11"
)

// binding has a token show keys of its SCM, where it shows those alone that have a name in it.
type binding struct {
	*tokenTool
	slots []int
}

// bindingTold is what "token bind" tells.
type bindingTold struct {
	Slot     uint  `json:"slot"`
	KeySlots []int `json:"key_slots"`
}

func (t bindingTold) printText(w io.Writer) {
	for _, n := range t.KeySlots {
		fmt.Fprintf(w, "The key in key slot %d is bound to the token in slot %d\n", n, t.Slot)
	}
}

func (x *tokenTool) bindCommand() *cobra.Command {
	return &cobra.Command{
		Use: "bind SLOT...", Short: "Have a token show the keys in key slots of its SCM, where it shows bound ones alone", Args: cobra.MinimumNArgs(1),
		Long: "Have a token show the keys in key slots of its SCM, where show = \"bound\" in the settings has it show those alone that were made in it or given a name. " +
			"They keep the labels and IDs that they have without a name; --use-zkslot gives others.",
		Example: "  zk_pkcs11-util token bind --token ca 1 2",
		RunE:    func(_ *cobra.Command, words []string) error { return x.bind(words) },
	}
}

func (x *tokenTool) bind(words []string) error {
	b := &binding{tokenTool: x}
	for _, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return usagef("%q is no key slot, such as 0 or 16", w)
		}
		b.slots = append(b.slots, n)
	}
	return x.withLogin(b.run)
}

func (b *binding) run(p *pkcs11.Provider, session uint) error {
	for _, n := range b.slots {
		named, err := p.IsNamed(session, n)
		if err == nil && !named {
			err = nameKey(p, session, n, []pkcs11.Attribute{{Type: pkcs11.CKA_LABEL, Value: fmt.Appendf(nil, "SCM slot %d", n)}})
		}
		if err != nil {
			return err
		}
	}
	told := bindingTold{b.slot, b.slots}
	return b.print("token-bind/1", told, told.printText)
}
