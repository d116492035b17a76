// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"

	"libzk_pkcs11/internal/scm"
)

// forgetful is the firmware that loses generated keys when it starts, but not
// those of wallets.
const forgetful = "01.02.02"

// walletPrefix begins the names of the wallets that hold our keys, one for each
// curve.
const walletPrefix = "zk_pkcs11-"

// inWallet reports whether new keys are made as children of a wallet.
func (d *Device) inWallet() bool {
	if d.options.KeyStore != KeyStoreAuto {
		return d.options.KeyStore == KeyStoreWallet
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.TrimSuffix(d.info.Firmware, "release") == forgetful
}

// makeChild makes a child of our wallet for the curve. Its index is a random one
// of 31 bits, because the child of an index is the same each time and a key that
// was removed must not come back. The caller holds calls.
func (d *Device) makeChild(c scm.Curve) (scm.Slot, error) {
	parent, err := d.master(c)
	if err != nil {
		return 0, err
	}
	var b [4]byte
	rand.Read(b[:])
	child := scm.Child{Index: binary.BigEndian.Uint32(b[:]) >> 1}
	s, _, err := d.api.child(parent, child)
	if err != nil {
		return d.childAfter(parent, child, err)
	}
	return s, nil
}

// master returns the slot of our wallet's master key, and makes it at first.
func (d *Device) master(c scm.Curve) (scm.Slot, error) {
	name := walletPrefix + c.String()
	if s, err := d.api.nodeSlot(top, name, 0); err == nil {
		return s, nil
	}
	s, made := d.api.newSeed(scm.WalletSeed{Curve: c, Name: name})
	if made == nil {
		return s, nil
	}
	// Names are unique: another process may have been faster.
	s, err := d.api.nodeSlot(top, name, 0)
	if err != nil {
		return 0, fmt.Errorf("wallet %s: %w", name, made)
	}
	return s, nil
}
