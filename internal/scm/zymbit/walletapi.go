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
	if err := failed("zkGetWalletNodeAddrFromKeySlot", rc); err != nil {
		return "", "", 0, err
	}
	return takenText(caddress), takenText(cname), scm.Slot(top), nil
}

func (l *library) master(name string) (scm.Slot, error) {
	root, cname := C.CString("m"), C.CString(name)
	defer C.free(unsafe.Pointer(root))
	defer C.free(unsafe.Pointer(cname))
	var slot C.int
	rc := C.callGetWalletKeySlotFromNodeAddr(l.f, l.ctx, root, cname, 0, &slot)
	return scm.Slot(slot), failed("zkGetWalletKeySlotFromNodeAddr", rc)
}

// newMaster makes a wallet without a mnemonic.
func (l *library) newMaster(c scm.Curve, name string) (scm.Slot, error) {
	empty, cname := C.CString(""), C.CString(name)
	defer C.free(unsafe.Pointer(empty))
	defer C.free(unsafe.Pointer(cname))
	rc := C.callGenWalletMasterSeedWithBIP39(l.f, l.ctx, C.ZK_EC_KEY_TYPE(c), empty, cname, nil, 0, empty, nil)
	return scm.Slot(rc), failed("zkGenWalletMasterSeedWithBIP39", rc)
}

func (l *library) child(parent scm.Slot, index uint32) (scm.Slot, error) {
	var chainCode *C.uint8_t // none is given
	rc := C.callGenWalletChildKey(l.f, l.ctx, C.int(parent), C.uint32_t(index), false, false, &chainCode)
	return scm.Slot(rc), failed("zkGenWalletChildKey", rc)
}
