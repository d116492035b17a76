// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include "shim.h"
import "C"

import (
	"bytes"

	"libzk_pkcs11/internal/scm"
)

func (l *library) foreignSlots() ([]scm.Slot, error) { return l.allocated(true) }

func (l *library) foreignKey(s scm.Slot) ([]byte, error) {
	var p *C.uint8_t
	var size C.int
	rc := C.callExportPubKey(l.f, l.ctx, &p, &size, C.int(s), true)
	return l.takeBytes("zkExportPubKey", rc, p, size)
}

func (l *library) storeForeign(c scm.Curve, public []byte) (scm.Slot, error) {
	rc := C.callStoreForeignPubKey(l.f, l.ctx, C.ZK_EC_KEY_TYPE(c), pointerTo(bytes.Clone(public)), C.int(len(public)))
	return scm.Slot(rc), failed("zkStoreForeignPubKey", rc)
}

func (l *library) verify(s scm.Slot, digest, sig []byte) (bool, error) {
	digest, sig = bytes.Clone(digest), bytes.Clone(sig)
	rc := C.callVerifyECDSASigFromDigest(l.f, l.ctx, pointerTo(digest), C.int(s), pointerTo(sig), C.int(len(sig)))
	return rc == 1, failed("zkVerifyECDSASigFromDigest", rc)
}

func (l *library) verifyForeign(s scm.Slot, digest, sig []byte) (bool, error) {
	digest, sig = bytes.Clone(digest), bytes.Clone(sig)
	rc := C.callVerifyECDSASigFromDigestWithForeignKeySlot(l.f, l.ctx, pointerTo(digest), C.int(s), pointerTo(sig), C.int(len(sig)))
	return rc == 1, failed("zkVerifyECDSASigFromDigestWithForeignKeySlot", rc)
}

func (l *library) removeForeign(s scm.Slot) error {
	return failed("zkRemoveKey", C.callRemoveKey(l.f, l.ctx, C.int(s), true))
}
