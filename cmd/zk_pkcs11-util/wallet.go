// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
)

// walletKeeper is an SCM that makes wallets.
type walletKeeper interface {
	scm.Device
	scm.Wallet
	SlotOfNode(address, wallet string, master scm.Slot) (scm.Slot, error)
	ChildKey(parent scm.Slot, child scm.Child) (s scm.Slot, chainCode []byte, err error)

	GenerateSeed(scm.WalletSeed) (scm.Slot, error)
	GenerateSeedBIP39(scm.WalletSeed) (s scm.Slot, words string, err error)
	RestoreBIP39(w scm.WalletSeed, words string) (scm.Slot, error)

	BeginSLIP39(w scm.WalletSeed, groups, threshold, exponent int) error
	SetSLIP39Group(index, members, threshold int) error
	AddSLIP39Member(passphrase string) (share string, s scm.Slot, done bool, err error)
	BeginRestoreSLIP39(scm.WalletSeed) error
	AddRestoreSLIP39(passphrase, share string) (s scm.Slot, done bool, err error)
	CancelSLIP39() error
}

const noWallets = "this SCM makes no wallets"

func (x *scmTool) walletCommand() *cobra.Command {
	return commandGroup("wallet", "Keys that are derived from one another (BIP32, BIP39, SLIP39)",
		x.onDevice("list", "List the wallets and their keys", cobra.NoArgs, x.listWallets),
		x.walletCreateCommand(), x.walletChildCommand(), x.walletRestoreCommand())
}

// walletRow is a wallet in the list.
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

// walletList is what "scm wallet list" tells.
type walletList []walletRow

func (x *scmTool) listWallets(t *target, _ []string) error {
	list, err := t.wallets()
	if err != nil {
		return err
	}
	return x.printResult(list, list.printText)
}

func (l walletList) printText(w io.Writer) {
	if len(l) == 0 {
		fmt.Fprintln(w, "There are no wallets")
		return
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer tab.Flush()
	fmt.Fprintln(tab, "WALLET\tSLOT\tADDRESS\tCURVE")
	for _, wallet := range l {
		for _, k := range wallet.Keys {
			fmt.Fprintf(tab, "%s\t%d\t%s\t%s\n", wallet.Name, k.Slot, k.Address, orElse(k.Curve, "-"))
		}
	}
}

func (t *target) wallets() (walletList, error) {
	keys, err := t.ownKeys()
	if err != nil {
		return nil, err
	}
	wallets := walletList{}
	place := map[scm.Slot]int{} // in wallets, by the slot of the topmost key
	for _, k := range keys {
		if !k.Slot.User() {
			continue
		}
		address, name, master, err := t.nodeOf(k.Slot)
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
