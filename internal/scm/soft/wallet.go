// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/hd"
	"libzk_pkcs11/internal/scm/soft/settings"
	"libzk_pkcs11/internal/secret"
)

// maxWalletName is the longest name of a wallet in bytes.
const maxWalletName = 64

func checkSeed(w scm.WalletSeed) error {
	if len(w.Name) > maxWalletName {
		return fmt.Errorf("wallet name of %d bytes: %w", len(w.Name), scm.ErrInput)
	}
	return w.Check()
}

// masterOf returns the topmost key of the wallet that grows from a seed. The
// derivation of VariantCardano is that of SLIP-0010 here; the vendor does not tell his.
func masterOf(w scm.WalletSeed, seed []byte, generator string) (hd.Node, error) {
	key := w.GeneratorKey
	if generator == settings.GeneratorAppended {
		seed, key = append(slices.Clone(seed), key...), nil
	}
	var n hd.Node
	var err error
	secret.Do(func() { n, err = hd.Master(w.Curve, seed, key) })
	return n, derivation(err)
}

// derivation makes an error of package hd one of package scm.
func derivation(err error) error {
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
	if err := d.idle(); err != nil {
		return 0, err
	}
	seed := make([]byte, 64)
	defer clear(seed)
	rand.Read(seed)
	return d.plant(w, seed)
}

// GenerateSeedBIP39 makes a wallet whose seed can be recovered from the mnemonic
// of 24 words that it returns.
func (d *Device) GenerateSeedBIP39(w scm.WalletSeed) (scm.Slot, string, error) {
	entropy := make([]byte, 32)
	defer clear(entropy)
	rand.Read(entropy)
	mnemonic, err := hd.Mnemonic(entropy)
	if err != nil {
		return 0, "", derivation(err)
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
	if err := d.idle(); err != nil {
		return 0, err
	}
	var seed []byte
	var err error
	secret.Do(func() { seed, err = hd.Seed(mnemonic, w.Passphrase) })
	if err != nil {
		return 0, derivation(err)
	}
	defer clear(seed)
	return d.plant(w, seed)
}

// plant makes the wallet that grows from a seed.
func (d *Device) plant(w scm.WalletSeed, seed []byte) (scm.Slot, error) {
	if err := checkSeed(w); err != nil {
		return 0, err
	}
	defer secret.Collect()
	n, err := masterOf(w, seed, d.options.Generator)
	if err != nil {
		return 0, err
	}
	defer clear(n.Private)
	return d.addTop(n, seedKey, hd.Top, w.Name)
}

// OversightWallet makes a wallet that watches another: from the public key and the
// chain code of that one's last hardened node it derives public keys, and cannot
// sign. The address is that of the node. ErrCurve for Ed25519, where there are no
// nodes that are not hardened.
func (d *Device) OversightWallet(w scm.WalletSeed, public, chainCode []byte, address string) (scm.Slot, error) {
	if err := errors.Join(d.idle(), checkSeed(w)); err != nil {
		return 0, err
	}
	if w.Curve == scm.Ed25519 {
		return 0, fmt.Errorf("oversight wallet with %s: %w", w.Curve, scm.ErrCurve)
	}
	if err := checkPublic(w.Curve, public); err != nil {
		return 0, err
	}
	address, err := hd.Canonical(address)
	if err != nil || len(chainCode) != chainSize {
		return 0, fmt.Errorf("node %q with a chain code of %d bytes: %w", address, len(chainCode), scm.ErrInput)
	}
	n := hd.Node{Curve: w.Curve, Public: bytes.Clone(public), Chain: chainCode}
	return d.addTop(n, watchKey, address, w.Name)
}

// addTop stores the topmost key of a wallet.
func (d *Device) addTop(n hd.Node, k kind, address, name string) (scm.Slot, error) {
	free := func(tx *sql.Tx) error {
		var taken bool
		err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM key WHERE wallet = ?)", name).Scan(&taken)
		if taken {
			return fmt.Errorf("wallet %q: %w", name, scm.ErrName)
		}
		return err
	}
	return d.addNode(n, free, func(key *sealedKey) {
		key.kind, key.hidden = k, k == seedKey
		key.node = node{master: key.Slot, address: address, wallet: name}
	})
}

// addNode stores a key of a wallet in the lowest free slot, if it may, where place
// says that it belongs in the tree.
func (d *Device) addNode(n hd.Node, may func(*sql.Tx) error, place func(*sealedKey)) (scm.Slot, error) {
	d.wait(d.options.Latency.Generate)
	r, err := d.unsealed()
	if err != nil {
		return 0, err
	}
	key := &sealedKey{Key: scm.Key{Curve: n.Curve, Public: n.Public}}
	both := slices.Concat(n.Private, n.Chain)
	defer clear(both)
	err = d.transact(func(tx *sql.Tx, e *effect) error {
		if err := e.under(tx, r); err != nil {
			return err
		}
		if err := may(tx); err != nil {
			return err
		}
		if key.Slot, err = d.freeSlot(tx); err != nil {
			return err
		}
		place(key)
		e.hold(key.Slot, key)
		return writeKey(tx, r, key, both)
	})
	return key.Slot, err
}
