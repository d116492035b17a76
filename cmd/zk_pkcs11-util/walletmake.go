// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
)

// walletMaker is what the commands have in common that make a wallet.
type walletMaker struct {
	tool       *scmTool
	curve      string
	recovery   string
	passphrase bool // ask for one
	groups     string
	threshold  int
}

// Ways to recover a wallet.
const (
	recoverBIP39  = "bip39"
	recoverSLIP39 = "slip39"
	recoverNone   = "none"
)

// newWallet is what making a wallet tells.
type newWallet struct {
	Name     string     `json:"name"`
	Slot     scm.Slot   `json:"slot"`
	Mnemonic string     `json:"mnemonic,omitempty"`
	Shares   [][]string `json:"shares,omitempty"` // by group
}

func (x *scmTool) walletCreateCommand() *cobra.Command {
	m := &walletMaker{tool: x}
	c := onAbility(x, "create NAME", "Make a wallet, and tell the words that recover it", cobra.ExactArgs(1), noWallets, m.create)
	withExample("scm wallet create savings", c)
	m.addFlags(c, "how it can be recovered: bip39, slip39 or none")
	c.Flags().StringVar(&m.groups, "groups", "2of3", "groups of slip39: how many shares of how many in each, such as `2of3,3of5`")
	c.Flags().IntVar(&m.threshold, "threshold", 1, "how many `groups` of slip39 it takes")
	return c
}

func (x *scmTool) walletRestoreCommand() *cobra.Command {
	m := &walletMaker{tool: x}
	c := onAbility(x, "restore NAME", "Make a wallet from the words of another, which it asks for", cobra.ExactArgs(1), noWallets, m.restore)
	withExample("scm wallet restore copy --recovery slip39", c)
	m.addFlags(c, "what the words are of: bip39 or slip39")
	return c
}

func (m *walletMaker) addFlags(c *cobra.Command, recovery string) {
	c.Flags().StringVar(&m.curve, "curve", scm.Secp256k1.String(), "curve of its keys: nistp256, secp256k1 or ed25519")
	c.Flags().StringVar(&m.recovery, "recovery", recoverBIP39, recovery)
	c.Flags().BoolVar(&m.passphrase, "passphrase", false, "ask for a passphrase, without which the words make another wallet")
}

// asker asks for a secret.
type asker func(name string, o option) ([]byte, error)

// seedFor is the wallet that the flags describe.
func (m *walletMaker) seedFor(name string, ask asker) (scm.WalletSeed, error) {
	w := scm.WalletSeed{Name: name}
	switch m.curve {
	case scm.P256.String():
		w.Curve = scm.P256
	case scm.Secp256k1.String():
		w.Curve = scm.Secp256k1
	case scm.Ed25519.String():
		w.Curve, w.Variant = scm.Ed25519, scm.VariantCardano
	default:
		return w, usagef("--curve %q: wallets are on nistp256, secp256k1 or ed25519", m.curve)
	}
	if m.passphrase {
		p, err := ask("Passphrase of the wallet", option{})
		w.Passphrase = string(p)
		return w, err
	}
	return w, nil
}

func (m *walletMaker) create(t *target, d walletKeeper, args []string) error {
	name := args[0]
	way, ok := map[string]func(walletKeeper, scm.WalletSeed, *newWallet) error{
		recoverBIP39: createBIP39, recoverSLIP39: m.createSLIP39, recoverNone: createPlain,
	}[m.recovery]
	if !ok {
		return usagef("--recovery %q: it is bip39, slip39 or none", m.recovery)
	}
	seed, err := m.seedFor(name, m.tool.ask.newSecret)
	if err != nil {
		return err
	}
	made := newWallet{Name: name}
	if err := m.tool.unsealed(t, func() error { return way(d, seed, &made) }); err != nil {
		return err
	}
	if err := m.tool.printResult(made, made.printText); err != nil {
		// Nobody has seen the words, and nobody ever will.
		return errors.Join(fmt.Errorf("the wallet is not kept: %w", err), d.Remove(scm.Key{Slot: made.Slot}))
	}
	return nil
}

func createPlain(d walletKeeper, w scm.WalletSeed, made *newWallet) (err error) {
	made.Slot, err = d.GenerateSeed(w)
	return err
}

func createBIP39(d walletKeeper, w scm.WalletSeed, made *newWallet) (err error) {
	made.Slot, made.Mnemonic, err = d.GenerateSeedBIP39(w)
	return err
}

func (m *walletMaker) createSLIP39(d walletKeeper, w scm.WalletSeed, made *newWallet) error {
	groups, err := parseGroups(m.groups)
	if err != nil {
		return err
	}
	if err := d.BeginSLIP39(w, len(groups), m.threshold, 0); err != nil {
		return err
	}
	if err := made.makeShares(d, groups); err != nil {
		return errors.Join(err, d.CancelSLIP39())
	}
	return nil
}

// makeShares goes through the session in which the wallet's shares are made.
func (n *newWallet) makeShares(d walletKeeper, groups []shareGroup) error {
	n.Shares = make([][]string, len(groups))
	for i, g := range groups {
		if err := d.SetSLIP39Group(i, g.members, g.threshold); err != nil {
			return err
		}
		for range g.members {
			share, slot, _, err := d.AddSLIP39Member("")
			if err != nil {
				return err
			}
			n.Shares[i], n.Slot = append(n.Shares[i], share), slot
		}
	}
	return nil
}

// shareGroup is a group of SLIP39.
type shareGroup struct{ threshold, members int }

// parseGroups reads groups such as 2of3,3of5.
func parseGroups(text string) (groups []shareGroup, err error) {
	for word := range strings.SplitSeq(text, ",") {
		threshold, members, ok := strings.Cut(word, "of")
		var g shareGroup
		var errs [2]error
		g.threshold, errs[0] = strconv.Atoi(threshold)
		g.members, errs[1] = strconv.Atoi(members)
		if !ok || errors.Join(errs[:]...) != nil {
			return nil, usagef("--groups %q: %q is not of the form 2of3", text, word)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// printText prints the words that recover the wallet, which nothing shows again.
func (n newWallet) printText(w io.Writer) {
	fmt.Fprintf(w, "Wallet %q is in key slot %d\n", n.Name, n.Slot)
	if n.Mnemonic != "" {
		fmt.Fprintf(w, "Write these words down; they are not shown again:\n%s\n", n.Mnemonic)
	}
	if n.Shares != nil {
		fmt.Fprintln(w, "Write each share down for its keeper; they are not shown again:")
	}
	for g, shares := range n.Shares {
		for i, share := range shares {
			fmt.Fprintf(w, "group %d, share %d of %d: %s\n", g+1, i+1, len(shares), share)
		}
	}
}

func (m *walletMaker) restore(t *target, d walletKeeper, args []string) error {
	name := args[0]
	way, ok := map[string]func(*target, walletKeeper, scm.WalletSeed) (scm.Slot, error){
		recoverBIP39: m.restoreBIP39, recoverSLIP39: m.restoreSLIP39,
	}[m.recovery]
	if !ok {
		return usagef("--recovery %q: it is bip39 or slip39", m.recovery)
	}
	seed, err := m.seedFor(name, m.tool.ask.secret)
	if err != nil {
		return err
	}
	made := newWallet{Name: name}
	if made.Slot, err = way(t, d, seed); err != nil {
		return err
	}
	return m.tool.printResult(made, made.printText)
}

// restoreBIP39 checks the words itself: an SCM in hardware tells little of what is
// wrong with them.
func (m *walletMaker) restoreBIP39(t *target, d walletKeeper, w scm.WalletSeed) (slot scm.Slot, err error) {
	words, err := m.askWords("Words")
	if err != nil {
		return 0, err
	}
	if err := hd.CheckMnemonic(words); err != nil {
		return 0, fmt.Errorf("%w; it takes all 12, 15, 18, 21 or 24 words of the wallet, as they were shown", err)
	}
	err = m.tool.unsealed(t, func() error {
		slot, err = d.RestoreBIP39(w, words)
		return err
	})
	return slot, err
}

func (m *walletMaker) restoreSLIP39(t *target, d walletKeeper, w scm.WalletSeed) (scm.Slot, error) {
	if err := m.tool.unsealed(t, func() error { return d.BeginRestoreSLIP39(w) }); err != nil {
		return 0, err
	}
	slot, err := m.collect(d)
	if err != nil {
		err = errors.Join(err, d.CancelSLIP39())
	}
	return slot, err
}

// collect asks for shares until there are enough, and checks each, as restoreBIP39
// does.
func (m *walletMaker) collect(d walletKeeper) (scm.Slot, error) {
	for n := 1; ; n++ {
		share, err := m.askWords(fmt.Sprintf("Share %d", n))
		if err != nil {
			return 0, err
		}
		if _, err := hd.ParseShare(share); err != nil {
			return 0, fmt.Errorf("share %d: %w", n, err)
		}
		if slot, done, err := d.AddRestoreSLIP39("", share); err != nil || done {
			return slot, err
		}
	}
}

// askWords asks for words, however many blanks there are between them.
func (m *walletMaker) askWords(name string) (string, error) {
	text, err := m.tool.ask.secret(name, option{})
	return strings.Join(strings.Fields(string(text)), " "), err
}
