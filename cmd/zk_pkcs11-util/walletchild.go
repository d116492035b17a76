// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// childKey is what "scm wallet child" tells.
type childKey struct {
	Slot      scm.Slot `json:"slot"`
	Wallet    string   `json:"wallet"`
	Address   string   `json:"address"`
	Curve     string   `json:"curve"`
	Public    string   `json:"public_key"`
	ChainCode string   `json:"chain_code,omitempty"` // in hex, of hardened children only
	Extended  string   `json:"xpub,omitempty"`       // of those on secp256k1 that are not below the top

	untold string // why there is no chain code or xpub, "" where nobody expects one
}

func (x *scmTool) walletChildCommand() *cobra.Command {
	c := onAbility(x, "child WALLET ADDRESS", "Derive a key, and those above it that are missing", cobra.ExactArgs(2), noWallets, x.makeChild)
	c.Example = "  zk_pkcs11-util scm wallet child eth m/44h/60h/0h/0/0"
	return c
}

func (x *scmTool) makeChild(t *target, d walletKeeper, args []string) error {
	address, err := hd.Canonical(strings.ReplaceAll(args[1], "h", "'"))
	if err != nil {
		return usagef("%w; an address is of the form m/44h/60h/0h/0/0", err)
	}
	k := childKey{Wallet: args[0], Address: address}
	if err := x.unsealed(t, func() error { return k.derive(d) }); err != nil {
		return err
	}
	return x.printResult(k, k.printText)
}

// derive derives the key at the address step by step from the lowest key above it
// that is there. Each step takes a key slot.
func (k *childKey) derive(d walletKeeper) error {
	slot, steps, err := lowestAbove(d, k.Wallet, k.Address)
	if err != nil {
		return err
	}
	var chain []byte
	var parent scm.Slot
	for _, index := range steps {
		parent = slot
		if slot, chain, err = d.ChildKey(parent, scm.Child{Index: index &^ hd.Hardened, Hardened: index >= hd.Hardened}); err != nil {
			return err
		}
	}
	key, err := d.PublicKey(slot)
	if err != nil {
		return err
	}
	k.Slot, k.Curve, k.Public, k.ChainCode = slot, key.Curve.String(), hex.EncodeToString(key.Public), hex.EncodeToString(chain)
	if steps[len(steps)-1] < hd.Hardened {
		return nil
	}
	return k.extend(d, key, chain, parent)
}

// extend makes the extended public key of BIP32, from which watching wallets derive.
func (k *childKey) extend(d walletKeeper, key scm.Key, chain []byte, parent scm.Slot) error {
	if chain == nil {
		k.untold = "the SCM tells the chain code only when it makes the key"
		return nil
	}
	if key.Curve != scm.Secp256k1 {
		return nil
	}
	above, err := d.PublicKey(parent)
	if errors.Is(err, scm.ErrExport) {
		k.untold = "no xpub: it names the key above, which the SCM does not give away"
		return nil
	}
	if err != nil {
		return err
	}
	indices, err := hd.ParseAddress(k.Address)
	if err != nil || len(indices) > hd.MaxDepth {
		return err
	}
	k.Extended = hd.Extended{
		Node:   hd.Node{Curve: key.Curve, Public: key.Public, Chain: chain},
		Depth:  byte(len(indices)),
		Parent: hd.Node{Curve: above.Curve, Public: above.Public}.Fingerprint(),
		Index:  indices[len(indices)-1],
	}.String()
	return nil
}

func (k childKey) printText(w io.Writer) {
	fmt.Fprintf(w, "The key %s of wallet %q is in key slot %d\n", k.Address, k.Wallet, k.Slot)
	for _, line := range [][2]string{
		{"Curve", k.Curve}, {"Public key", k.Public}, {"Chain code", k.ChainCode}, {"Extended", k.Extended}, {"Not told", k.untold},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-12s%s\n", line[0], line[1])
		}
	}
}

// lowestAbove finds the key of the wallet from which the fewest steps lead to the
// address: one at least, because it takes one to learn the chain code.
func lowestAbove(d walletKeeper, wallet, address string) (s scm.Slot, steps []uint32, err error) {
	all, err := hd.ParseAddress(address)
	if err != nil {
		return 0, nil, err
	}
	if len(all) == 0 {
		return 0, nil, fmt.Errorf("%s is the wallet itself; its children are %s/0, %s/0' and so on", address, address, address)
	}
	for n := len(all) - 1; n >= 0; n-- {
		above := hd.Top
		for _, index := range all[:n] {
			above = hd.ChildAddress(above, index)
		}
		s, err = d.SlotOfNode(above, wallet, -1)
		if !errors.Is(err, scm.ErrSlotEmpty) {
			return s, all[n:], err
		}
	}
	return 0, nil, fmt.Errorf("no key of wallet %q is above %s; \"scm wallet list\" shows the wallets", wallet, address)
}
