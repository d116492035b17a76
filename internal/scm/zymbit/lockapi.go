// SPDX-License-Identifier: Apache-2.0

package zymbit

// #include "shim.h"
import "C"

import (
	"bytes"
	"errors"
	"syscall"
	"unsafe"

	"libzk_pkcs11/internal/scm"
)

func (l *library) lock(plain []byte, under scm.LockKey) ([]byte, error) {
	plain = bytes.Clone(plain)
	defer clear(plain)
	var p *C.uint8_t
	var size C.int
	rc := C.callLockDataB2B(l.f, l.ctx, pointerTo(plain), C.int(len(plain)), &p, &size, C.bool(under == scm.SharedKey))
	return l.takeBytes("zkLockDataB2B", rc, p, size)
}

// unlock reads the answers of all versions: success is 0 by the vendor's header and
// 1 by his wrapper in Python, for which 0 says that the data is not the module's;
// then there is none. Our own library has a code for that.
func (l *library) unlock(locked []byte, under scm.LockKey) ([]byte, error) {
	var p *C.uint8_t
	var size C.int
	rc := C.callUnlockDataB2B(l.f, l.ctx, pointerTo(bytes.Clone(locked)), C.int(len(locked)), &p, &size, C.bool(under == scm.SharedKey))
	if rc == 0 && p == nil {
		return nil, nil
	}
	plain, err := l.takeBytes("zkUnlockDataB2B", rc, p, size)
	if errors.Is(err, syscall.EBADMSG) || rc == 0 && size == 0 {
		return nil, nil
	}
	return plain, err
}

func (l *library) time() (uint32, error) { return l.readTime(false) }

func (l *library) nextSecond() (uint32, error) { return l.readTime(true) }

func (l *library) readTime(precise C.bool) (uint32, error) {
	var seconds C.uint32_t
	rc := C.callGetTime(l.f, l.ctx, &seconds, precise)
	return uint32(seconds), failed("zkGetTime", rc)
}

// pointerTo points to the bytes, which the library only reads. No bytes are NULL. What may be
// memory of a caller of PKCS#11 is cloned before: where it leads nowhere, Go panics and C
// ends the process.
func pointerTo(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }
