// SPDX-License-Identifier: Apache-2.0

package main

// #include "estate.h"
import "C"

import (
	"iter"
	"sync/atomic"
	"unsafe"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/pkcs11"
)

// estate is a pkcs11.Estate in memory of C, which forked children read before they have a
// living Go runtime. C_Finalize ends it before the provider (fork.c); what comes later
// leaves nothing.
type estate struct{ begun C.uint64_t }

// beginEstate begins to leave things to children, if the setting says so. A child takes
// over what it finds whatever its own setting is: its parent has promised it.
func beginEstate(setting string) pkcs11.Estate {
	inherit := C.int(0)
	if setting == config.ForkInherit {
		inherit = 1
	}
	begun := C.zk_estate_begin(inherit)
	if begun == 0 {
		return nil
	}
	return estate{begun}
}

// lastHandle is the last handle that this process or one before it has given. Copies of
// this library count on from it.
func lastHandle() *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(C.zk_estate_handles()))
}

// Leave is pkcs11.Estate.Leave.
func (e estate) Leave(instead pkcs11.Piece, content []byte) pkcs11.Piece {
	bytes := unsafe.Pointer(unsafe.SliceData(content))
	left := C.zk_estate_leave(e.begun, C.uintptr_t(instead), bytes, C.size_t(len(content)))
	secret.Do(func() {}) // what is in registers would come to the host's stack; C cannot be called within
	return pkcs11.Piece(left)
}

// Revoke is pkcs11.Estate.Revoke.
func (e estate) Revoke(p pkcs11.Piece) { C.zk_estate_revoke(e.begun, C.uintptr_t(p)) }

// Pieces is pkcs11.Estate.Pieces.
func (estate) Pieces() iter.Seq2[pkcs11.Piece, []byte] { return eachPiece }

func eachPiece(yield func(pkcs11.Piece, []byte) bool) {
	for p := C.zk_estate_next(0); p != 0; p = C.zk_estate_next(p) {
		var size C.size_t
		content := C.zk_estate_content(p, &size)
		if !yield(pkcs11.Piece(p), unsafe.Slice((*byte)(content), size)) {
			return
		}
	}
}
