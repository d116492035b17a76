// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import (
	"bytes"
	"math"
	"unsafe"

	"libzk_pkcs11/pkcs11"
)

// Limits of what a caller can pass at once. Larger numbers are lengths that
// were never set, or negative ones.
const (
	maxBytes      = math.MaxInt32
	maxAttributes = 1 << 12
	labelSize     = 32 // of C_InitToken, which is told no length
	firstPage     = 4096
)

// nowhere reports whether n elements at p, which is not NULL, cannot be in memory: p is a small
// number and no address, or they would go on beyond the last address. Such numbers do not go far:
// in a plain build Go ends the process when it finds a small one among the pointers of a stack
// that it has to move.
func nowhere[T any](p *T, n uintptr) bool {
	at := uintptr(unsafe.Pointer(p))
	return at < firstPage || at > math.MaxUint-n*unsafe.Sizeof(*p)
}

// uint stands for CK_ULONG, whose pointers are shared with the caller below.
var _ = [1]struct{}{}[unsafe.Sizeof(uint(0))-unsafe.Sizeof(C.CK_ULONG(0))]

// need refuses a NULL where the function writes.
func need[T any](p *T) *T {
	if nowhere(p, 1) {
		panic(refusal(pkcs11.CKR_ARGUMENTS_BAD))
	}
	return p
}

// touch panics where p leads nowhere, or to what cannot be written. A function that makes
// something does so first: else nobody could be told of it afterwards.
func touch[T any](p *T) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
	poke(&b[0], b[0])
	poke(&b[len(b)-1], b[len(b)-1])
}

// poke is not inlined: the compiler leaves out the writing of what is there already.
//
//go:noinline
func poke(p *byte, v byte) { *p = v }

// view shows n elements of the caller's memory, for as long as the call lasts.
// NULL is a nil slice, and has no elements. Nothing is looked for where no element is:
// clients in Rust have small numbers there.
func view[T, E any](p *E, n C.CK_ULONG) []T {
	switch {
	case p == nil && n == 0:
		return nil
	case n == 0:
		return []T{}
	case n > maxBytes/C.CK_ULONG(unsafe.Sizeof(*p)) || nowhere(p, uintptr(n)):
		panic(refusal(pkcs11.CKR_ARGUMENTS_BAD))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(p)), n)
}

// room is view for a buffer to write to, whose length is a promise only: it is
// cut to the limit.
func room[T, E any](p *E, n C.CK_ULONG) []T {
	if p == nil {
		return nil
	}
	return view[T](p, min(n, maxBytes/C.CK_ULONG(unsafe.Sizeof(*p))))
}

// output is a caller's buffer and the length beside it.
func output[T, E any](p *E, n C.CK_ULONG_PTR) pkcs11.Output[T] {
	if n == nil {
		return pkcs11.Output[T]{}
	}
	need(n)
	return pkcs11.Output[T]{Buffer: room[T](p, *n), Length: (*uint)(unsafe.Pointer(n))}
}

// template shows the attributes that a caller gives.
func template(t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []pkcs11.Attribute {
	given := attributes(t, n)
	list := make([]pkcs11.Attribute, len(given))
	for i := range given {
		a := &given[i]
		list[i] = pkcs11.Attribute{Type: uint(a._type), Value: view[byte]((*byte)(a.pValue), a.ulValueLen)}
	}
	return list
}

// queries shows the attributes that a caller asks for.
func queries(t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []pkcs11.Query {
	asked := attributes(t, n)
	list := make([]pkcs11.Query, len(asked))
	for i := range asked {
		a := &asked[i]
		list[i] = pkcs11.Query{
			Type:   uint(a._type),
			Buffer: room[byte]((*byte)(a.pValue), a.ulValueLen),
			Length: (*uint)(unsafe.Pointer(&a.ulValueLen)),
		}
	}
	return list
}

func attributes(t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []C.CK_ATTRIBUTE {
	if n > maxAttributes {
		panic(refusal(pkcs11.CKR_ARGUMENTS_BAD))
	}
	return view[C.CK_ATTRIBUTE](t, n)
}

// mechanism converts a CK_MECHANISM; NULL stays nil, which cancels an operation.
func mechanism(m C.CK_MECHANISM_PTR) *pkcs11.Mechanism {
	if m == nil {
		return nil
	}
	need(m)
	parameter := inner((C.CK_BYTE_PTR)(m.pParameter), m.ulParameterLen)
	return &pkcs11.Mechanism{Type: uint(m.mechanism), Parameter: parameter, Params: parameters(m)}
}

// parameters copies a parameter that holds pointers; nil for every other.
func parameters(m C.CK_MECHANISM_PTR) any {
	switch {
	case m.mechanism == C.CKM_EDDSA && m.ulParameterLen == C.sizeof_CK_EDDSA_PARAMS:
		p := (*C.CK_EDDSA_PARAMS)(m.pParameter)
		return &pkcs11.EdDSAParams{Prehash: p.phFlag != C.CK_FALSE, Context: inner(p.pContextData, p.ulContextDataLen)}
	case derivesECDH(m.mechanism) && m.ulParameterLen == C.sizeof_CK_ECDH1_DERIVE_PARAMS:
		p := (*C.CK_ECDH1_DERIVE_PARAMS)(m.pParameter)
		return &pkcs11.ECDH1Params{
			KDF:        uint(p.kdf),
			SharedData: inner(p.pSharedData, p.ulSharedDataLen),
			Public:     inner(p.pPublicData, p.ulPublicDataLen),
		}
	}
	return nil
}

func derivesECDH(m C.CK_MECHANISM_TYPE) bool {
	return m == C.CKM_ECDH1_DERIVE || m == C.CKM_ECDH1_COFACTOR_DERIVE
}

// inner copies a parameter, or bytes that it points to: an operation can outlive
// the call that begins it.
func inner(p C.CK_BYTE_PTR, n C.CK_ULONG) []byte {
	if n > math.MaxUint16 || (p == nil && n > 0) {
		panic(refusal(pkcs11.CKR_MECHANISM_PARAM_INVALID))
	}
	return bytes.Clone(view[byte](p, n))
}
