// SPDX-License-Identifier: Apache-2.0

package zymbit

// #cgo CFLAGS: -D_GNU_SOURCE -Wall -Wextra -I${SRCDIR}/../../../include
// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"libzk_pkcs11/internal/scm"
)

// maxSlots is more slots than any module has.
const maxSlots = 1 << 16

// library is the vendor's library, loaded, and the context in it.
type library struct {
	f   *C.zk_functions
	ctx C.zkCTX // NULL when none is open
}

// load loads the library at path, or one that the dynamic linker finds by a name
// without a slash. It is never unloaded, because it may have started threads.
func load(path string) (*library, error) {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var problem *C.char
	f := C.zk_load(cpath, &problem)
	if f == nil {
		defer C.free(unsafe.Pointer(problem))
		return nil, errors.New(C.GoString(problem))
	}
	return &library{f: f}, nil
}

// paused waits, and reports whether it did: it does in threads of a host alone.
func paused(d time.Duration) bool { return C.zk_paused(C.uint64_t(d)) != 0 }

func (l *library) missing() []string {
	var names []string
	var there C.bool
	for i := C.size_t(0); ; i++ {
		name := C.zk_function(l.f, i, &there)
		if name == nil {
			return names
		}
		if !there {
			names = append(names, C.GoString(name))
		}
	}
}

func (l *library) open() error {
	if l.ctx != nil {
		return nil
	}
	var ctx C.zkCTX
	if err := failed("zkOpen", C.callOpen(l.f, &ctx)); err != nil {
		return err
	}
	l.ctx = ctx
	return nil
}

func (l *library) close() {
	if l.ctx != nil {
		C.callClose(l.f, l.ctx) // nothing can be done about a failure
		l.ctx = nil
	}
}

func (l *library) text(p property) (string, error) {
	var s *C.char
	var rc C.int
	switch p {
	case model:
		rc = C.callGetModelNumberString(l.f, l.ctx, &s)
	case firmware:
		rc = C.callGetFirmwareVersionString(l.f, l.ctx, &s)
	case serial:
		rc = C.callGetSerialNumberString(l.f, l.ctx, &s)
	}
	return takenText(s), failed("reading the module's strings", rc)
}

func (l *library) random(n int) ([]byte, error) {
	var p *C.uint8_t
	return l.takeBytes("zkGetRandBytes", C.callGetRandBytes(l.f, l.ctx, &p, C.int(n)), p, C.int(n))
}

func (l *library) slots() ([]scm.Slot, error) { return l.allocated(false) }

func (l *library) allocated(foreign C.bool) ([]scm.Slot, error) {
	var capacity, size C.int
	var p *C.int
	rc := C.callGetAllocSlotsList(l.f, l.ctx, foreign, &capacity, &p, &size)
	if rc >= 0 && p == nil && size == 0 { // nothing is what malloc may give for nothing
		return nil, nil
	}
	if rc >= 0 && (size < 0 || size > maxSlots) {
		C.zk_release(unsafe.Pointer(p))
		return nil, &oddity{"zkGetAllocSlotsList", fmt.Sprintf("%d slots", int(size))}
	}
	list, err := l.takeBytes("zkGetAllocSlotsList", rc, (*C.uint8_t)(unsafe.Pointer(p)), size*C.sizeof_int)
	if err != nil {
		return nil, err
	}
	slots := make([]scm.Slot, size)
	for i, n := range unsafe.Slice((*C.int)(unsafe.Pointer(unsafe.SliceData(list))), size) {
		slots[i] = scm.Slot(n)
	}
	return slots, nil
}

func (l *library) publicKey(s scm.Slot) ([]byte, error) {
	var p *C.uint8_t
	var size C.int
	if l.f.ExportPubKey == nil { // its older name
		rc := C.callGetECDSAPubKey(l.f, l.ctx, &p, &size, C.int(s))
		return l.takeBytes("zkGetECDSAPubKey", rc, p, size)
	}
	rc := C.callExportPubKey(l.f, l.ctx, &p, &size, C.int(s), false)
	return l.takeBytes("zkExportPubKey", rc, p, size)
}

func (l *library) sign(s scm.Slot, digest []byte) ([]byte, error) {
	var p *C.uint8_t
	var size C.int
	rc := C.callGenECDSASigFromDigest(l.f, l.ctx, pointerTo(bytes.Clone(digest)), C.int(s), &p, &size)
	return l.takeBytes("zkGenECDSASigFromDigest", rc, p, size)
}

// agree takes the secret for one of 32 bytes: the library does not tell.
func (l *library) agree(s scm.Slot, peer []byte) ([]byte, error) {
	var p *C.uint8_t
	rc := C.callDoRawECDH(l.f, l.ctx, C.int(s), pointerTo(bytes.Clone(peer)), C.int(len(peer)), &p)
	return l.takeBytes("zkDoRawECDH", rc, p, 32)
}

func (l *library) generate(c scm.Curve) (scm.Slot, error) {
	rc := C.callGenKeyPair(l.f, l.ctx, C.ZK_EC_KEY_TYPE(c))
	return scm.Slot(rc), failed("zkGenKeyPair", rc)
}

func (l *library) remove(s scm.Slot) error {
	return failed("zkRemoveKey", C.callRemoveKey(l.f, l.ctx, C.int(s), false))
}
