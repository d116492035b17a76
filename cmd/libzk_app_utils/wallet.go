// SPDX-License-Identifier: Apache-2.0

package main

// #include <stdbool.h>
// #include <stdint.h>
import "C"

import (
	"encoding/base64"

	"libzk_pkcs11/internal/scm"
)

const chainCodeSize = 32

// seed is what the functions that make a wallet have in common.
func seed(d *device, curve C.int, variant, name *C.char, generator *C.uint8_t, size C.int, passphrase *C.char) scm.WalletSeed {
	return scm.WalletSeed{
		Curve:        scm.Curve(curve),
		Variant:      optional(variant),
		Name:         text(name),
		GeneratorKey: append([]byte(nil), view(generator, size)...), // a session keeps it
		Passphrase:   passphraseOf(d, passphrase),
	}
}

// passphraseOf is the passphrase of a wallet, which the vendor's documentation wants as
// Base64 and his examples give as it is.
func passphraseOf(d *device, passphrase *C.char) string {
	s := optional(passphrase)
	if d.Options().PassphraseBase64 {
		b, err := base64.StdEncoding.DecodeString(s)
		check(err == nil)
		s = string(b)
	}
	return s
}

//export goGenWalletMasterSeedWithBIP39
func goGenWalletMasterSeedWithBIP39(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase *C.char, mnemonic **C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		w := seed(d, curve, variant, name, generator, size, passphrase)
		if mnemonic == nil { // nobody is to recover it
			s, err := d.GenerateSeed(w)
			return int(s), err
		}
		s, words, err := d.GenerateSeedBIP39(w)
		if err == nil {
			giveText(mnemonic, words)
		}
		return int(s), err
	})
}

//export goRestoreWalletMasterSeedFromBIP39Mnemonic
func goRestoreWalletMasterSeedFromBIP39Mnemonic(ctx context, curve C.int, variant, name *C.char,
	generator *C.uint8_t, size C.int, passphrase, mnemonic *C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		s, err := d.RestoreBIP39(seed(d, curve, variant, name, generator, size, passphrase), text(mnemonic))
		return int(s), err
	})
}

//export goGenOversightWallet
func goGenOversightWallet(ctx context, curve C.int, variant *C.char, public, chainCode *C.uint8_t, address, name *C.char) C.int {
	return answer(ctx, func(d *device) (int, error) {
		w := seed(d, curve, variant, name, nil, 0, nil)
		key := view(public, C.int(w.Curve.PublicSize()))
		s, err := d.OversightWallet(w, key, view(chainCode, chainCodeSize), text(address))
		return int(s), err
	})
}

//export goGenWalletChildKey
func goGenWalletChildKey(ctx context, parent C.int, index C.uint32_t, hardened, wanted C.bool, chainCode **C.uint8_t) C.int {
	return answer(ctx, func(d *device) (int, error) {
		if wanted {
			need(chainCode)
			check(bool(hardened)) // others give none away
		}
		s, code, err := d.ChildKey(slotOf(parent), uint32(index), bool(hardened))
		if err == nil && bool(wanted) {
			give(chainCode, code)
		}
		return int(s), err
	})
}

//export goGetWalletNodeAddrFromKeySlot
func goGetWalletNodeAddrFromKeySlot(ctx context, slot C.int, address, name **C.char, master *C.int) C.int {
	return call(ctx, func(d *device) error {
		need(address)
		need(name)
		need(master)
		a, w, m, err := d.NodeAddress(slotOf(slot))
		if err == nil {
			giveText(address, a)
			giveText(name, w)
			*master = C.int(m)
		}
		return err
	})
}

// goGetWalletKeySlotFromNodeAddr finds the wallet by its name, or where there is
// none by the slot of its master key.
//
//export goGetWalletKeySlotFromNodeAddr
func goGetWalletKeySlotFromNodeAddr(ctx context, address, name *C.char, master C.int, slot *C.int) C.int {
	return call(ctx, func(d *device) error {
		need(slot)
		wallet, top := optional(name), slotOf(master)
		if wallet != "" {
			top = -1
		}
		s, err := d.SlotOfNode(text(address), wallet, top)
		if err == nil {
			*slot = C.int(s)
		}
		return err
	})
}
