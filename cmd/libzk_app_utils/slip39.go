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
	generator *C.uint8_t, size, groups, threshold, exponent C.int, passphrase *C.char) C.int {
	return call(ctx, func(d *device) error {
		w := seed(d, curve, variant, name, generator, size, passphrase)
		return d.BeginSLIP39(w, int(groups), int(threshold), int(exponent))
	})
}

//export goSetSLIP39GroupInfo
func goSetSLIP39GroupInfo(ctx context, index, members, threshold C.int) C.int {
	return call(ctx, func(d *device) error {
		return d.SetSLIP39Group(int(index), int(members), int(threshold))
	})
}

//export goAddSLIP39MemberPassword
func goAddSLIP39MemberPassword(ctx context, passphrase *C.char, mnemonic **C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		need(mnemonic)
		words, s, done, err := d.AddSLIP39Member(optional(passphrase))
		if err == nil {
			giveText(mnemonic, words)
		}
		if !done {
			return incomplete, err
		}
		return int(s), err
	})
}

// goRestoreWalletMasterSeedFromSLIP39 answers -1 from the beginning, as the vendor's
// example shows: nothing tells how much is missing.
//
//export goRestoreWalletMasterSeedFromSLIP39
func goRestoreWalletMasterSeedFromSLIP39(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase *C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		return incomplete, d.BeginRestoreSLIP39(seed(d, curve, variant, name, generator, size, passphrase))
	})
}

// goAddRestoreSLIP39Mnemonic does not tell a wrong share from a right one.
//
//export goAddRestoreSLIP39Mnemonic
func goAddRestoreSLIP39Mnemonic(ctx context, passphrase, mnemonic *C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		s, done, err := d.AddRestoreSLIP39(optional(passphrase), text(mnemonic))
		if errors.Is(err, scm.ErrInput) && !errors.Is(err, wallet.ErrNoSession) {
			err = nil
		}
		if !done {
			return incomplete, err
		}
		return int(s), err
	})
}

//export goCancelSLIP39Session
func goCancelSLIP39Session(ctx context) C.int {
	return call(ctx, (*device).CancelSLIP39)
}
