// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"bytes"
	"encoding/base64"

	"libzk_pkcs11/internal/scm"
)

const chainCodeSize = 32

// walletSeed is what the functions that make a wallet have in common.
func (c *call) walletSeed(curve C.int, variant, name *C.char, generator *C.uint8_t, size C.int, passphrase *C.char) scm.WalletSeed {
	return scm.WalletSeed{
		Curve:        scm.Curve(curve),
		Variant:      c.optionalTextOf(variant),
		Name:         c.textOf(name),
		GeneratorKey: bytes.Clone(c.bytesOf(generator, size)), // a session keeps it
		Passphrase:   c.passphrase(passphrase),
	}
}

// passphrase is that of a wallet, which the vendor's documentation wants as Base64 and
// his examples give as it is.
func (c *call) passphrase(p *C.char) string {
	s := c.optionalTextOf(p)
	if !c.accepted() || !c.device.Options().PassphraseBase64 {
		return s
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		c.refuse(errArgument)
	}
	return string(b)
}

//export goGenWalletMasterSeedWithBIP39
func goGenWalletMasterSeedWithBIP39(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase *C.char, mnemonic **C.char) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	w := c.walletSeed(curve, variant, name, generator, size, passphrase)
	if !c.accepted() {
		return slot
	}
	if mnemonic == nil { // nobody is to recover it
		s, err := c.device.GenerateSeed(w)
		slot, c.err = C.int(s), err
		return slot
	}
	s, words, err := c.device.GenerateSeedBIP39(w)
	if c.succeeded(err) {
		giveText(mnemonic, words)
		slot = C.int(s)
	}
	return slot
}

//export goRestoreWalletMasterSeedFromBIP39Mnemonic
func goRestoreWalletMasterSeedFromBIP39Mnemonic(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase, mnemonic *C.char) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	w := c.walletSeed(curve, variant, name, generator, size, passphrase)
	if words := c.textOf(mnemonic); c.accepted() {
		s, err := c.device.RestoreBIP39(w, words)
		slot, c.err = C.int(s), err
	}
	return slot
}

//export goGenOversightWallet
func goGenOversightWallet(ctx context, curve C.int, variant *C.char, public, chainCode *C.uint8_t, address, name *C.char) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	w := c.walletSeed(curve, variant, name, nil, 0, nil)
	key, code := c.bytesOf(public, C.int(w.Curve.PublicSize())), c.bytesOf(chainCode, chainCodeSize)
	if address := c.textOf(address); c.accepted() {
		s, err := c.device.OversightWallet(w, key, code, address)
		slot, c.err = C.int(s), err
	}
	return slot
}

//export goGenWalletChildKey
func goGenWalletChildKey(ctx context, parent C.int, index C.uint32_t, hardened, wanted C.bool, chainCode **C.uint8_t) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	if bool(wanted) && required(&c, chainCode) && !bool(hardened) {
		c.refuse(errArgument) // others give none away
	}
	if !c.accepted() {
		return slot
	}
	s, code, err := c.device.ChildKey(slotOf(parent), scm.Child{Index: uint32(index), Hardened: bool(hardened)})
	if c.succeeded(err) {
		slot = C.int(s)
		if wanted {
			giveBytes(chainCode, code)
		}
	}
	return slot
}

//export goGetWalletNodeAddrFromKeySlot
func goGetWalletNodeAddrFromKeySlot(ctx context, slot C.int, address, name **C.char, master *C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, address) || !required(&c, name) || !required(&c, master) {
		return result
	}
	a, w, m, err := c.device.NodeAddress(slotOf(slot))
	if c.succeeded(err) {
		giveText(address, a)
		giveText(name, w)
		*master = C.int(m)
	}
	return result
}

// goGetWalletKeySlotFromNodeAddr finds the wallet by its name, or where there is
// none by the slot of its master key.
//
//export goGetWalletKeySlotFromNodeAddr
func goGetWalletKeySlotFromNodeAddr(ctx context, address, name *C.char, master C.int, slot *C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	required(&c, slot)
	wallet, top := c.optionalTextOf(name), slotOf(master)
	if wallet != "" {
		top = -1
	}
	if address := c.textOf(address); c.accepted() {
		s, err := c.device.SlotOfNode(address, wallet, top)
		if c.succeeded(err) {
			*slot = C.int(s)
		}
	}
	return result
}
