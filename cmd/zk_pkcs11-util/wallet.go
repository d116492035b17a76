// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/hd"
)

func (x *scmTool) walletCommand() *cobra.Command {
	return group("wallet", "Keys that are derived from one another (BIP32, BIP39, SLIP39)",
		x.onDevice("list", "List the wallets and their keys", cobra.NoArgs, func(t *target, _ []string) error {
			return x.listWallets(t)
		}),
		x.walletCreateCommand(), x.walletChildCommand(), x.walletRestoreCommand())
}

// walletRow is a wallet in "scm wallet list".
type walletRow struct {
	Name   string    `json:"name"`
	Master scm.Slot  `json:"master_slot"`
	Keys   []nodeRow `json:"keys"`
}

type nodeRow struct {
	Slot    scm.Slot `json:"slot"`
	Address string   `json:"address"`
	Curve   string   `json:"curve,omitempty"` // "" where the public key is not given away
}

func (x *scmTool) listWallets(t *target) error {
	wallets, err := t.wallets()
	if err != nil {
		return err
	}
	return x.print(wallets, func(w io.Writer) {
		if len(wallets) == 0 {
			fmt.Fprintln(w, "There are no wallets")
			return
		}
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		defer tab.Flush()
		fmt.Fprintln(tab, "WALLET\tSLOT\tADDRESS\tCURVE")
		for _, wallet := range wallets {
			for _, k := range wallet.Keys {
				fmt.Fprintf(tab, "%s\t%d\t%s\t%s\n", wallet.Name, k.Slot, k.Address, or(k.Curve, "-"))
			}
		}
	})
}

func (t *target) wallets() ([]walletRow, error) {
	keys, err := t.ownKeys()
	if err != nil {
		return nil, err
	}
	wallets := []walletRow{}
	place := map[scm.Slot]int{} // in wallets, by the slot of the topmost key
	for _, k := range keys {
		if !k.Slot.User() {
			continue
		}
		address, name, master, err := t.node(k.Slot)
		if err != nil {
			return nil, err
		}
		if address == "" {
			continue
		}
		i, known := place[master]
		if !known {
			i = len(wallets)
			place[master] = i
			wallets = append(wallets, walletRow{Name: name, Master: master})
		}
		wallets[i].Keys = append(wallets[i].Keys, nodeRow{k.Slot, address, newKeyRow(k, "").Curve})
	}
	return wallets, nil
}

// childKey is what "scm wallet child" tells.
type childKey struct {
	Slot      scm.Slot `json:"slot"`
	Wallet    string   `json:"wallet"`
	Address   string   `json:"address"`
	Curve     string   `json:"curve"`
	Public    string   `json:"public_key"`
	ChainCode string   `json:"chain_code,omitempty"` // in hex, of hardened children only
	Extended  string   `json:"xpub,omitempty"`       // of hardened children on secp256k1
}

func (x *scmTool) walletChildCommand() *cobra.Command {
	c := x.onSoft("child WALLET ADDRESS", "Derive a key, and those above it that are missing", cobra.ExactArgs(2),
		func(t *target, d *soft.Device, args []string) error {
			address, err := hd.Canonical(strings.ReplaceAll(args[1], "h", "'"))
			if err != nil {
				return err
			}
			k := childKey{Wallet: args[0], Address: address}
			if err := x.unsealed(t, func() error { return k.derive(d) }); err != nil {
				return err
			}
			return x.print(k, k.text)
		})
	c.Example = "  zk_pkcs11-util scm wallet child eth m/44h/60h/0h/0/0"
	return c
}

// derive derives the key at the address step by step from the lowest key above it
// that is there. Each step takes a key slot.
func (k *childKey) derive(d *soft.Device) error {
	slot, steps, err := lowestAbove(d, k.Wallet, k.Address)
	if err != nil {
		return err
	}
	var chain []byte
	for _, index := range steps {
		if slot, chain, err = d.ChildKey(slot, index&^hd.Hardened, index >= hd.Hardened); err != nil {
			return err
		}
	}
	key, err := d.PublicKey(slot)
	if err != nil {
		return err
	}
	k.Slot, k.Curve, k.Public, k.ChainCode = slot, key.Curve.String(), hex.EncodeToString(key.Public), hex.EncodeToString(chain)
	k.Extended, err = d.ExtendedPublic(slot)
	if errors.Is(err, scm.ErrAbility) || errors.Is(err, scm.ErrCurve) {
		err = nil
	}
	return err
}

// lowestAbove finds the key of the wallet from which the fewest steps lead to the
// address: one at least, because it takes one to learn the chain code.
func lowestAbove(d *soft.Device, wallet, address string) (s scm.Slot, steps []uint32, err error) {
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

func (k childKey) text(w io.Writer) {
	fmt.Fprintf(w, "The key %s of wallet %q is in key slot %d\n", k.Address, k.Wallet, k.Slot)
	fmt.Fprintf(w, "%-12s%s\n%-12s%s\n", "Curve", k.Curve, "Public key", k.Public)
	if k.ChainCode != "" {
		fmt.Fprintf(w, "%-12s%s\n", "Chain code", k.ChainCode)
	}
	if k.Extended != "" {
		fmt.Fprintf(w, "%-12s%s\n", "Extended", k.Extended)
	}
}
