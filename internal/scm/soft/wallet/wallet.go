// SPDX-License-Identifier: Apache-2.0

// Package wallet makes wallets in a soft SCM: trees of keys that grow from a seed, which
// words (BIP39) or shares (SLIP39) recover. libzk_pkcs11.so does without it: what PKCS#11
// tells of keys in wallets the flash knows ([soft.Device.NodeAddress]).
package wallet

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/scm/soft/wallet/hd"
	"libzk_pkcs11/internal/secret"
)

// Device is a soft SCM that makes wallets, too.
type Device struct {
	*soft.Device

	mu      sync.Mutex // taken before the locks of the soft SCM
	session *session   // nil when there is none
}

// On returns the device that makes wallets in a soft SCM.
func On(d *soft.Device) *Device { return &Device{Device: d} }

// Close is that of the soft SCM, and forgets the SLIP39 session.
func (d *Device) Close() error {
	d.dropSession()
	return d.Device.Close()
}

// Forget is that of the soft SCM, and forgets the SLIP39 session.
func (d *Device) Forget() {
	d.dropSession()
	d.Device.Forget()
}

// maxWalletName is the longest name of a wallet in bytes.
const maxWalletName = 64

func checkSeed(w scm.WalletSeed) error {
	if len(w.Name) > maxWalletName {
		return fmt.Errorf("wallet name of %d bytes: %w", len(w.Name), scm.ErrInput)
	}
	return w.Check()
}

// masterOf returns the topmost key of the wallet that grows from a seed.
func masterOf(w scm.WalletSeed, seed []byte, generator string) (hd.Node, error) {
	key := w.GeneratorKey
	if generator == settings.GeneratorAppended {
		seed, key = append(slices.Clone(seed), key...), nil
	}
	var n hd.Node
	var err error
	secret.Do(func() { n, err = master(w.Curve, seed, key) })
	return n, deviceError(err)
}

// master is hd.Master, by the scheme of VariantCardano on its curve.
func master(c scm.Curve, seed, generator []byte) (hd.Node, error) {
	if c == scm.Ed25519 {
		return hd.MasterCardano(seed, generator), nil
	}
	return hd.Master(c, seed, generator)
}

// deviceError makes an error of package hd one of package scm.
func deviceError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, hd.ErrCurve):
		return fmt.Errorf("%w: %w", scm.ErrCurve, err)
	case errors.Is(err, hd.ErrHardened):
		return fmt.Errorf("%w: %w", scm.ErrAbility, err)
	}
	return fmt.Errorf("%w: %w", scm.ErrInput, err)
}

// GenerateSeed makes a wallet with a random seed, which nobody can recover: pure
// BIP32. Its topmost key takes a user slot; the public key is not given away.
// ErrName, ErrFull, ErrInput, ErrCurve, ErrBusy during a SLIP39 session.
func (d *Device) GenerateSeed(w scm.WalletSeed) (scm.Slot, error) {
	if err := d.noSession(); err != nil {
		return 0, err
	}
	seed := make([]byte, 64)
	defer clear(seed)
	rand.Read(seed)
	return d.growWallet(w, seed)
}

// GenerateSeedBIP39 makes a wallet whose seed can be recovered from the mnemonic
// of 24 words that it returns.
func (d *Device) GenerateSeedBIP39(w scm.WalletSeed) (scm.Slot, string, error) {
	entropy := make([]byte, 32)
	defer clear(entropy)
	rand.Read(entropy)
	mnemonic, err := hd.Mnemonic(entropy)
	if err != nil {
		return 0, "", deviceError(err)
	}
	s, err := d.RestoreBIP39(w, mnemonic)
	if err != nil {
		return 0, "", err
	}
	return s, mnemonic, nil
}

// RestoreBIP39 makes a wallet from the mnemonic of another. ErrInput for a
// malformed mnemonic.
func (d *Device) RestoreBIP39(w scm.WalletSeed, mnemonic string) (scm.Slot, error) {
	if err := d.noSession(); err != nil {
		return 0, err
	}
	if w.Curve == scm.Ed25519 && len(w.GeneratorKey) == 0 {
		return d.growIcarus(w, mnemonic)
	}
	var seed []byte
	var err error
	secret.Do(func() { seed, err = hd.Seed(mnemonic, w.Passphrase) })
	if err != nil {
		return 0, deviceError(err)
	}
	defer clear(seed)
	return d.growWallet(w, seed)
}

// growWallet makes the wallet that grows from a seed.
func (d *Device) growWallet(w scm.WalletSeed, seed []byte) (scm.Slot, error) {
	if err := checkSeed(w); err != nil {
		return 0, err
	}
	defer secret.Collect()
	n, err := masterOf(w, seed, d.Options().Generator)
	if err != nil {
		return 0, err
	}
	defer clear(n.Private)
	return d.AddTop(stored(n, hd.Top), w.Name)
}

// growIcarus makes the wallet that other wallets of Cardano make of the same words. A
// generator key has no place in that.
func (d *Device) growIcarus(w scm.WalletSeed, mnemonic string) (scm.Slot, error) {
	if err := checkSeed(w); err != nil {
		return 0, err
	}
	defer secret.Collect()
	var n hd.Node
	var err error
	secret.Do(func() { n, err = hd.MasterIcarus(mnemonic, w.Passphrase) })
	if err != nil {
		return 0, deviceError(err)
	}
	defer clear(n.Private)
	return d.AddTop(stored(n, hd.Top), w.Name)
}

// OversightWallet makes a wallet that watches another: from the public key and the
// chain code of that one's last hardened node it derives public keys, and cannot
// sign. The address is that of the node.
func (d *Device) OversightWallet(w scm.WalletSeed, public, chainCode []byte, address string) (scm.Slot, error) {
	if err := errors.Join(d.noSession(), checkSeed(w)); err != nil {
		return 0, err
	}
	address, err := hd.Canonical(address)
	if err != nil {
		return 0, deviceError(err)
	}
	n := hd.Node{Curve: w.Curve, Public: bytes.Clone(public), Chain: chainCode}
	return d.AddTop(stored(n, address), w.Name)
}
