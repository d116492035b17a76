// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"errors"
	"fmt"

	"libzk_pkcs11/internal/scm"
)

// The functions of the vendor's library for SLIP39. Their session is one of the
// context: nothing of it is repeated with a new one.
const (
	sharesBegin   = "zkGenWalletMasterSeedWithSLIP39"
	sharesGroup   = "zkSetSLIP39GroupInfo"
	sharesMember  = "zkAddSLIP39MemberPassword"
	sharesCancel  = "zkCancelSLIP39Session"
	sharesRestore = "zkRestoreWalletMasterSeedFromSLIP39"
	sharesAdd     = "zkAddRestoreSLIP39Mnemonic"
)

// Limits of an SCM for SLIP39.
const (
	maxShares   = 16 // groups, and members of a group
	maxExponent = 5
)

// BeginSLIP39 begins a session that makes a wallet and splits its seed into shares for
// members of groups; so many of the groups as the threshold recover it. The exponent
// makes guessing the passphrase slower. ErrName, ErrInput, ErrCurve.
func (d *Device) BeginSLIP39(w scm.WalletSeed, groups, threshold, exponent int) error {
	if exponent < 0 || exponent > maxExponent {
		return fmt.Errorf("exponent %d: %w", exponent, scm.ErrInput)
	}
	if err := checkShares(threshold, groups, "groups"); err != nil {
		return err
	}
	if err := d.requireFunctions(sharesBegin, sharesGroup, sharesMember, sharesCancel); err != nil {
		return err
	}
	return d.beginSession(w, func(w scm.WalletSeed) error {
		return d.api.beginShares(w, groups, threshold, exponent)
	})
}

// BeginRestoreSLIP39 begins a session that makes a wallet from shares.
func (d *Device) BeginRestoreSLIP39(w scm.WalletSeed) error {
	if err := d.requireFunctions(sharesRestore, sharesAdd, sharesCancel); err != nil {
		return err
	}
	return d.beginSession(w, d.api.beginRestore)
}

func (d *Device) beginSession(w scm.WalletSeed, begin func(scm.WalletSeed) error) error {
	if err := errors.Join(w.Check(), checkText(w.Passphrase)); err != nil {
		return err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if _, err := d.nameIsFree(w.Name); err != nil {
		return err
	}
	d.session = w.Name
	w.Passphrase = d.passphrase(w.Passphrase)
	return begin(w)
}

// CancelSLIP39 gives up the session, if there is one.
func (d *Device) CancelSLIP39() error {
	if err := d.requireFunctions(sharesCancel); err != nil {
		return err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if err := d.connect(); err != nil {
		return err
	}
	return d.api.cancelShares()
}

// SetSLIP39Group says how many members a group has, numbered from 0, and how many of
// them its share takes; the members that are added next are its own.
func (d *Device) SetSLIP39Group(index, members, threshold int) error {
	if index < 0 || index >= maxShares {
		return fmt.Errorf("group %d: %w", index, scm.ErrInput)
	}
	if err := checkShares(threshold, members, "members"); err != nil {
		return err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if err := d.connect(); err != nil {
		return err
	}
	return d.api.setGroup(index, members, threshold)
}

// AddSLIP39Member returns the share of the next member of the group that was set last,
// under a passphrase of that member's own, "" for none. With the last share of all
// groups the wallet is made and the session ends. It reports whether it has, with the slot
// of the wallet's topmost key.
func (d *Device) AddSLIP39Member(passphrase string) (share string, s scm.Slot, done bool, err error) {
	if err := checkText(passphrase); err != nil {
		return "", 0, false, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if err := d.connect(); err != nil {
		return "", 0, false, err
	}
	share, s, done, err = d.api.addShare(d.passphrase(passphrase))
	switch {
	case err != nil:
		_, err = d.grownAfter(d.session, growth{wanted: true}, err)
	case done && share == "":
		err = errors.Join(fmt.Errorf("%s: gave no words: %w", sharesMember, scm.ErrDevice), d.api.remove(s))
	case done:
		err = d.noteNode(s)
	}
	return share, s, done, err
}

// AddRestoreSLIP39 adds the share of a member. With the last one that is needed the
// wallet is made and the session ends. It reports whether it has, with the slot of its
// topmost key. The vendor's library does not tell a share that is wrong from one that is
// not the last.
func (d *Device) AddRestoreSLIP39(passphrase, share string) (s scm.Slot, done bool, err error) {
	if err := checkText(passphrase, share); err != nil {
		return 0, false, err
	}
	d.takeTurn()
	defer d.calls.Unlock()
	if err := d.connect(); err != nil {
		return 0, false, err
	}
	s, done, err = d.api.addRestore(d.passphrase(passphrase), share)
	if err != nil {
		s, err = d.grownAfter(d.session, growth{}, err)
		done = err == nil
	}
	if done && err == nil {
		err = d.noteNode(s)
	}
	return s, done, err
}

// checkShares refuses a split into shares that an SCM does not make.
func checkShares(threshold, all int, of string) error {
	if threshold < 1 || threshold > all || all > maxShares {
		return fmt.Errorf("%d of %d %s: %w", threshold, all, of, scm.ErrInput)
	}
	return nil
}
