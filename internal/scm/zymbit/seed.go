// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"libzk_pkcs11/internal/scm"
)

// The functions of the vendor's library for wallets.
const (
	seedMake    = "zkGenWalletMasterSeedWithBIP39"
	seedRestore = "zkRestoreWalletMasterSeedFromBIP39Mnemonic"
	childMake   = "zkGenWalletChildKey"
	nodeOfSlot  = "zkGetWalletNodeAddrFromKeySlot"
	slotOfNode  = "zkGetWalletKeySlotFromNodeAddr"
)

// top is the address of the topmost key of a wallet.
const top = "m"

// GenerateSeed makes a wallet that nobody can recover, and returns the slot of its
// topmost key. ErrName, ErrInput, ErrCurve, ErrFull.
func (d *Device) GenerateSeed(w scm.WalletSeed) (scm.Slot, error) {
	return d.newWallet(w, growth{function: seedMake}, func(w scm.WalletSeed) (scm.Slot, error) {
		return d.api.newSeed(w)
	})
}

// GenerateSeedBIP39 makes a wallet that can be recovered from the words that it
// returns.
func (d *Device) GenerateSeedBIP39(w scm.WalletSeed) (s scm.Slot, words string, err error) {
	s, err = d.newWallet(w, growth{function: seedMake, wanted: true}, func(w scm.WalletSeed) (s scm.Slot, err error) {
		if s, words, err = d.api.newSeedWithWords(w); err == nil && words == "" {
			err = errors.Join(fmt.Errorf("%s: gave no words: %w", seedMake, scm.ErrDevice), d.api.remove(s))
		}
		return s, err
	})
	return s, words, err
}

// RestoreBIP39 makes a wallet from the words of another.
func (d *Device) RestoreBIP39(w scm.WalletSeed, words string) (scm.Slot, error) {
	return d.newWallet(w, growth{function: seedRestore, words: words}, func(w scm.WalletSeed) (scm.Slot, error) {
		return d.api.restoreSeed(w, words)
	})
}

// growth says how a wallet is made.
type growth struct {
	function string // of the library
	words    string // of which it is made
	wanted   bool   // words are to be told
}

// newWallet makes a wallet by a function of the library, which is not repeated when
// it fails.
func (d *Device) newWallet(w scm.WalletSeed, g growth, grow func(scm.WalletSeed) (scm.Slot, error)) (scm.Slot, error) {
	if err := errors.Join(w.Check(), checkText(w.Passphrase, g.words), d.requireFunctions(g.function)); err != nil {
		return 0, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	before, err := d.nameIsFree(w.Name)
	if err != nil {
		return 0, err
	}
	w.Passphrase = d.passphrase(w.Passphrase)
	s, err := grow(w)
	if err != nil {
		s, err = d.grownAfter(w.Name, g, d.whyNot(before, err))
	}
	if err != nil {
		return 0, err
	}
	return s, d.noteNode(s)
}

// grownAfter finds a wallet that was made although the call failed: its name was free. One
// whose words nobody has been told goes again.
func (d *Device) grownAfter(wallet string, g growth, failure error) (s scm.Slot, err error) {
	for t := d.newTries(); t.next(&err); {
		s, err = d.api.nodeSlot(top, wallet, 0)
	}
	if err != nil || !s.User() {
		return 0, failure
	}
	if !g.wanted {
		return s, nil
	}
	gone := d.removed(s, d.api.remove(s))
	return 0, errors.Join(failure, gone)
}

// nameIsFree answers ErrName when there is such a wallet, or else the slots in use,
// having found a dead context. The caller holds calls.
func (d *Device) nameIsFree(wallet string) (slots []scm.Slot, err error) {
	if slots, err = d.listSlots(); err != nil {
		return nil, err
	}
	switch _, err := d.api.nodeSlot(top, wallet, 0); {
	case err == nil:
		return nil, fmt.Errorf("wallet %q: %w", wallet, scm.ErrName)
	case timedOut(err):
		return nil, err
	}
	return slots, nil
}

// noteNode tells others of a new key in a wallet.
func (d *Device) noteNode(s scm.Slot) error {
	if !s.User() {
		return fmt.Errorf("the SCM says that it made a key of a wallet in slot %d: %w", int(s), scm.ErrDevice)
	}
	d.forgetSlot(s)
	d.changes.noteSlot(s)
	return nil
}

// passphrase is one in the form that the library takes.
func (d *Device) passphrase(text string) string {
	if d.options.PassphraseBase64 {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text
}

// checkText refuses what C would cut short.
func checkText(secrets ...string) error {
	for _, s := range secrets {
		if strings.ContainsRune(s, 0) {
			return fmt.Errorf("a zero byte in a passphrase or in words: %w", scm.ErrInput)
		}
	}
	return nil
}
