// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include "shim.h"
import "C"

import "libzk_pkcs11/internal/scm"

// incomplete is what the steps of a SLIP39 session return that leave it open.
const incomplete = -1

func (l *library) beginShares(w scm.WalletSeed, groups, threshold, exponent int) error {
	t := newSeedText(w)
	defer t.wipe()
	rc := C.callGenWalletMasterSeedWithSLIP39(l.f, l.ctx, t.curve, t.variant, t.name, t.generator, t.generatorSize,
		C.int(groups), C.int(threshold), C.int(exponent), t.passphrase)
	return failed(sharesBegin, rc)
}

func (l *library) setGroup(index, members, threshold int) error {
	return failed(sharesGroup, C.callSetSLIP39GroupInfo(l.f, l.ctx, C.int(index), C.int(members), C.int(threshold)))
}

// addShare reports whether the wallet is made. It tells the end of a step from a failure of the
// same number by the words.
func (l *library) addShare(passphrase string) (words string, s scm.Slot, done bool, err error) {
	cpassphrase := C.CString(passphrase)
	defer wipe(cpassphrase)
	var cwords *C.char
	rc := C.callAddSLIP39MemberPassword(l.f, l.ctx, cpassphrase, &cwords)
	if rc < 0 && (rc != incomplete || cwords == nil) {
		return "", 0, false, failed(sharesMember, rc)
	}
	return secretText(cwords), scm.Slot(rc), rc >= 0, nil
}

// beginRestore takes either answer for a success: the vendor's text says 0, his
// example shows -1.
func (l *library) beginRestore(w scm.WalletSeed) error {
	t := newSeedText(w)
	defer t.wipe()
	rc := C.callRestoreWalletMasterSeedFromSLIP39(l.f, l.ctx, t.curve, t.variant, t.name, t.generator, t.generatorSize, t.passphrase)
	if rc == incomplete {
		return nil
	}
	return failed(sharesRestore, rc)
}

func (l *library) addRestore(passphrase, words string) (s scm.Slot, done bool, err error) {
	cpassphrase, cwords := C.CString(passphrase), C.CString(words)
	defer wipe(cpassphrase)
	defer wipe(cwords)
	rc := C.callAddRestoreSLIP39Mnemonic(l.f, l.ctx, cpassphrase, cwords)
	if rc == incomplete {
		return 0, false, nil
	}
	return scm.Slot(rc), rc >= 0, failed(sharesAdd, rc)
}

func (l *library) cancelShares() error {
	return failed(sharesCancel, C.callCancelSLIP39Session(l.f, l.ctx))
}
