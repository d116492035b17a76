// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdint.h>
import "C"

import (
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// incomplete is the answer of a step after which the session goes on.
const incomplete = -1

//export goGenWalletMasterSeedWithSLIP39
func goGenWalletMasterSeedWithSLIP39(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size, groups, threshold, exponent C.int, passphrase *C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if w := c.walletSeed(curve, variant, name, generator, size, passphrase); c.accepted() {
		c.err = c.device.BeginSLIP39(w, int(groups), int(threshold), int(exponent))
	}
	return result
}

//export goSetSLIP39GroupInfo
func goSetSLIP39GroupInfo(ctx context, index, members, threshold C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetSLIP39Group(int(index), int(members), int(threshold))
	}
	return result
}

//export goAddSLIP39MemberPassword
func goAddSLIP39MemberPassword(ctx context, passphrase *C.char, mnemonic **C.char) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	required(&c, mnemonic)
	if passphrase := c.optionalTextOf(passphrase); c.accepted() {
		words, s, done, err := c.device.AddSLIP39Member(passphrase)
		if c.succeeded(err) {
			giveText(mnemonic, words)
		}
		if slot = C.int(s); !done {
			slot = incomplete
		}
	}
	return slot
}

// goRestoreWalletMasterSeedFromSLIP39 answers -1 from the beginning, as the vendor's
// example shows: nothing tells how much is missing.
//
//export goRestoreWalletMasterSeedFromSLIP39
func goRestoreWalletMasterSeedFromSLIP39(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase *C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if w := c.walletSeed(curve, variant, name, generator, size, passphrase); c.accepted() {
		c.err = c.device.BeginRestoreSLIP39(w)
		result = incomplete
	}
	return result
}

// goAddRestoreSLIP39Mnemonic does not tell a wrong share from a right one.
//
//export goAddRestoreSLIP39Mnemonic
func goAddRestoreSLIP39Mnemonic(ctx context, passphrase, mnemonic *C.char) (slot C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&slot)
	if passphrase, words := c.optionalTextOf(passphrase), c.textOf(mnemonic); c.accepted() {
		s, done, err := c.device.AddRestoreSLIP39(passphrase, words)
		if !errors.Is(err, scm.ErrInput) || errors.Is(err, wallet.ErrNoSession) {
			c.err = err
		}
		if slot = C.int(s); !done {
			slot = incomplete
		}
	}
	return slot
}

//export goCancelSLIP39Session
func goCancelSLIP39Session(ctx context) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.CancelSLIP39()
	}
	return result
}
