// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

func (f *fake) node(s scm.Slot) (address, name string, master scm.Slot, err error) {
	if err := f.call("node"); err != nil {
		return "", "", 0, err
	}
	address, name, master, err = f.NodeAddress(s)
	return address, name, master, answer(err)
}

func (f *fake) nodeSlot(address, name string, master scm.Slot) (scm.Slot, error) {
	if err := f.call("nodeSlot"); err != nil {
		return 0, err
	}
	s, err := f.SlotOfNode(address, name, master)
	return s, answer(err)
}

func (f *fake) newSeed(w scm.WalletSeed) (scm.Slot, error) {
	f.seeds = append(f.seeds, w)
	if err := f.call("newSeed"); err != nil {
		return 0, err
	}
	s, err := f.GenerateSeed(w)
	return s, f.inTime("newSeed", err)
}

func (f *fake) newSeedWithWords(w scm.WalletSeed) (s scm.Slot, words string, err error) {
	f.seeds = append(f.seeds, w)
	if err := f.call("newSeed"); err != nil {
		return 0, "", err
	}
	s, words, err = f.GenerateSeedBIP39(w)
	if f.wordless {
		words = ""
	}
	return s, words, f.inTime("newSeed", err)
}

func (f *fake) restoreSeed(w scm.WalletSeed, words string) (scm.Slot, error) {
	f.seeds = append(f.seeds, w)
	if err := f.call("restoreSeed"); err != nil {
		return 0, err
	}
	s, err := f.RestoreBIP39(w, words)
	return s, answer(err)
}

func (f *fake) child(parent scm.Slot, c scm.Child) (scm.Slot, []byte, error) {
	if err := f.call("child"); err != nil {
		return 0, nil, err
	}
	f.indices = append(f.indices, c.Index)
	s, chain, err := f.ChildKey(parent, c)
	return s, chain, f.inTime("child", err)
}

func (f *fake) beginShares(w scm.WalletSeed, groups, threshold, exponent int) error {
	f.seeds = append(f.seeds, w)
	if err := f.call("beginShares"); err != nil {
		return err
	}
	return answer(f.BeginSLIP39(w, groups, threshold, exponent))
}

func (f *fake) setGroup(index, members, threshold int) error {
	if err := f.call("setGroup"); err != nil {
		return err
	}
	return answer(f.SetSLIP39Group(index, members, threshold))
}

func (f *fake) addShare(passphrase string) (words string, s scm.Slot, done bool, err error) {
	if err := f.call("addShare"); err != nil {
		return "", 0, false, err
	}
	words, s, done, err = f.AddSLIP39Member(passphrase)
	if f.wordless {
		words = ""
	}
	return words, s, done, answer(err)
}

func (f *fake) beginRestore(w scm.WalletSeed) error {
	if err := f.call("beginRestore"); err != nil {
		return err
	}
	return answer(f.BeginRestoreSLIP39(w))
}

// addRestore reports whether the wallet is made. It does not tell a wrong share, as the library.
func (f *fake) addRestore(passphrase, words string) (scm.Slot, bool, error) {
	if err := f.call("addRestore"); err != nil {
		return 0, false, err
	}
	s, done, err := f.AddRestoreSLIP39(passphrase, words)
	if errors.Is(err, scm.ErrInput) && !errors.Is(err, wallet.ErrNoSession) {
		err = nil
	}
	return s, done, answer(err)
}

func (f *fake) cancelShares() error {
	if err := f.call("cancelShares"); err != nil {
		return err
	}
	return answer(f.CancelSLIP39())
}
