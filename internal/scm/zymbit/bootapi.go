// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"unsafe"

	"libzk_pkcs11/internal/scm"
)

func (l *library) bootFiles() (string, error) {
	var names *C.char
	rc := C.callGetSupervisedBootFileManifest(l.f, l.ctx, &names)
	if err := failed(bootList, rc); err != nil {
		return "", err
	}
	return takenText(names), nil
}

func (l *library) addBootFile(path string, signer scm.Slot) error {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	return failed(bootAdd, C.callAddOrUpdateSupervisedBootFile(l.f, l.ctx, cpath, C.int(signer)))
}

func (l *library) removeBootFile(path string) error {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	return failed(bootRemove, C.callRemoveSupervisedBootFile(l.f, l.ctx, cpath))
}
