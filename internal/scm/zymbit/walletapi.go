// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"unsafe"

	"libzk_pkcs11/internal/scm"
)

func (l *library) node(s scm.Slot) (address, name string, master scm.Slot, err error) {
	var caddress, cname *C.char
	var top C.int
	rc := C.callGetWalletNodeAddrFromKeySlot(l.f, l.ctx, C.int(s), &caddress, &cname, &top)
	if err := failed(nodeOfSlot, rc); err != nil {
		return "", "", 0, err
	}
	return takenText(caddress), takenText(cname), scm.Slot(top), nil
}

func (l *library) nodeSlot(address, name string, master scm.Slot) (scm.Slot, error) {
	caddress := C.CString(address)
	defer C.free(unsafe.Pointer(caddress))
	var cname *C.char
	if name != "" {
		cname = C.CString(name)
		defer C.free(unsafe.Pointer(cname))
	}
	var slot C.int
	rc := C.callGetWalletKeySlotFromNodeAddr(l.f, l.ctx, caddress, cname, C.int(master), &slot)
	return scm.Slot(slot), failed(slotOfNode, rc)
}

// seedText has the strings of a wallet in C's memory, until wipe.
type seedText struct {
	variant, name, passphrase *C.char
	curve                     C.ZK_EC_KEY_TYPE
	generator                 *C.uint8_t
	generatorSize             C.int
}

func newSeedText(w scm.WalletSeed) seedText {
	return seedText{
		C.CString(w.Variant), C.CString(w.Name), C.CString(w.Passphrase),
		C.ZK_EC_KEY_TYPE(w.Curve), pointerTo(w.GeneratorKey), C.int(len(w.GeneratorKey)),
	}
}

func (t seedText) wipe() {
	wipe(t.variant)
	wipe(t.name)
	wipe(t.passphrase)
}

func (l *library) newSeed(w scm.WalletSeed) (scm.Slot, error) {
	t := newSeedText(w)
	defer t.wipe()
	rc := C.callGenWalletMasterSeedWithBIP39(l.f, l.ctx, t.curve, t.variant, t.name, t.generator, t.generatorSize, t.passphrase, nil)
	return scm.Slot(rc), failed(seedMake, rc)
}

func (l *library) newSeedWithWords(w scm.WalletSeed) (scm.Slot, string, error) {
	t := newSeedText(w)
	defer t.wipe()
	var words *C.char
	rc := C.callGenWalletMasterSeedWithBIP39(l.f, l.ctx, t.curve, t.variant, t.name, t.generator, t.generatorSize, t.passphrase, &words)
	if err := failed(seedMake, rc); err != nil {
		return 0, "", err
	}
	return scm.Slot(rc), secretText(words), nil
}

func (l *library) restoreSeed(w scm.WalletSeed, words string) (scm.Slot, error) {
	t := newSeedText(w)
	defer t.wipe()
	cwords := C.CString(words)
	defer wipe(cwords)
	rc := C.callRestoreWalletMasterSeedFromBIP39Mnemonic(l.f, l.ctx, t.curve, t.variant, t.name, t.generator, t.generatorSize, t.passphrase, cwords)
	return scm.Slot(rc), failed(seedRestore, rc)
}

func (l *library) child(parent scm.Slot, c scm.Child) (scm.Slot, []byte, error) {
	var p *C.uint8_t
	hard := C.bool(c.Hardened)
	rc := C.callGenWalletChildKey(l.f, l.ctx, C.int(parent), C.uint32_t(c.Index), hard, hard, &p)
	if err := failed(childMake, rc); err != nil {
		return 0, nil, err
	}
	if !c.Hardened || p == nil {
		return scm.Slot(rc), nil, nil
	}
	const chainCodeSize = 32
	code, err := l.takeBytes(childMake, rc, p, chainCodeSize)
	return scm.Slot(rc), code, err
}
