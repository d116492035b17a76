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

// The functions below convert the arguments of a call. The call is refused when one of them
// cannot be what it is meant to be: it then has no use for the others, which are not looked
// at and come out empty.

// required reports whether p is no NULL, which is refused.
func required[T any](c *call, p *T) bool {
	if c.accepted() && nowhere(p, 1) {
		c.refuse(pkcs11.CKR_ARGUMENTS_BAD)
	}
	return c.accepted()
}

// mustBeNULL refuses an argument that is kept for later versions of the specification.
func (c *call) mustBeNULL(p C.CK_VOID_PTR) {
	if p != nil {
		c.refuse(pkcs11.CKR_ARGUMENTS_BAD)
	}
}

// probeWritable panics where p leads nowhere, or to what cannot be written. A function that makes
// something does so first: else nobody could be told of it afterwards.
func probeWritable[T any](p *T) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
	writeAgain(&b[0], b[0])
	writeAgain(&b[len(b)-1], b[len(b)-1])
}

// writeAgain is not inlined: the compiler leaves out the writing of what is there already.
//
//go:noinline
func writeAgain(p *byte, v byte) { *p = v }

// sliceOf shows n elements of the caller's memory, for as long as the call lasts.
// NULL is a nil slice, and has no elements. Nothing is looked for where no element is:
// clients in Rust have small numbers there.
func sliceOf[T, E any](c *call, p *E, n C.CK_ULONG) []T {
	switch {
	case !c.accepted() || p == nil && n == 0:
		return nil
	case n == 0:
		return []T{}
	case n > maxBytes/C.CK_ULONG(unsafe.Sizeof(*p)) || nowhere(p, uintptr(n)):
		c.refuse(pkcs11.CKR_ARGUMENTS_BAD)
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(p)), n)
}

// handles shows a buffer for n handles, which may be NULL only where n is 0.
func handles(c *call, p C.CK_OBJECT_HANDLE_PTR, n C.CK_ULONG) []uint {
	if n > 0 && !required(c, p) {
		return nil
	}
	return bufferOf[uint](c, p, n)
}

// bufferOf is sliceOf for a buffer to write to, whose length is a promise only: it is
// cut to the limit.
func bufferOf[T, E any](c *call, p *E, n C.CK_ULONG) []T {
	if p == nil {
		return nil
	}
	return sliceOf[T](c, p, min(n, maxBytes/C.CK_ULONG(unsafe.Sizeof(*p))))
}

// output is a caller's buffer and the length beside it.
func output[T, E any](c *call, p *E, n C.CK_ULONG_PTR) pkcs11.Output[T] {
	if n == nil || !required(c, n) {
		return pkcs11.Output[T]{}
	}
	return pkcs11.Output[T]{Buffer: bufferOf[T](c, p, *n), Length: (*uint)(unsafe.Pointer(n))}
}

// template shows the attributes that a caller gives.
func template(c *call, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []pkcs11.Attribute {
	given := attributes(c, t, n)
	list := make([]pkcs11.Attribute, len(given))
	for i := range given {
		a := &given[i]
		list[i] = pkcs11.Attribute{Type: uint(a._type), Value: sliceOf[byte](c, (*byte)(a.pValue), a.ulValueLen)}
		if pkcs11.IsNestedTemplate(list[i].Type) {
			list[i].Value = nestedTemplate(c, a)
		}
	}
	return list
}

// queries shows the attributes that a caller asks for.
func queries(c *call, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []pkcs11.Query {
	asked := attributes(c, t, n)
	list := make([]pkcs11.Query, len(asked))
	for i := range asked {
		a := &asked[i]
		list[i] = pkcs11.Query{
			Type:   uint(a._type),
			Buffer: bufferOf[byte](c, (*byte)(a.pValue), a.ulValueLen),
			Length: (*uint)(unsafe.Pointer(&a.ulValueLen)),
		}
		if pkcs11.IsNestedTemplate(list[i].Type) && list[i].Buffer != nil {
			list[i].Nested = nestedQueries(c, a)
		}
	}
	return list
}

func attributes(c *call, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) []C.CK_ATTRIBUTE {
	if n > maxAttributes {
		c.refuse(pkcs11.CKR_ARGUMENTS_BAD)
		return nil
	}
	return sliceOf[C.CK_ATTRIBUTE](c, t, n)
}

// mechanism converts a CK_MECHANISM; NULL stays nil, which cancels an operation.
func mechanism(c *call, m C.CK_MECHANISM_PTR) *pkcs11.Mechanism {
	if m == nil || !required(c, m) {
		return nil
	}
	parameter := copyInner(c, (C.CK_BYTE_PTR)(m.pParameter), m.ulParameterLen)
	if !c.accepted() {
		return nil
	}
	return &pkcs11.Mechanism{Type: uint(m.mechanism), Parameter: parameter, Params: parameters(c, m)}
}

// parameters copies a parameter that holds pointers; nil for every other.
func parameters(c *call, m C.CK_MECHANISM_PTR) any {
	switch {
	case m.mechanism == C.CKM_EDDSA && m.ulParameterLen == C.sizeof_CK_EDDSA_PARAMS:
		p := (*C.CK_EDDSA_PARAMS)(m.pParameter)
		return &pkcs11.EdDSAParams{Prehash: p.phFlag != C.CK_FALSE, Context: copyInner(c, p.pContextData, p.ulContextDataLen)}
	case derivesECDH(m.mechanism) && m.ulParameterLen == C.sizeof_CK_ECDH1_DERIVE_PARAMS:
		p := (*C.CK_ECDH1_DERIVE_PARAMS)(m.pParameter)
		return &pkcs11.ECDH1Params{
			KDF:        uint(p.kdf),
			SharedData: copyInner(c, p.pSharedData, p.ulSharedDataLen),
			Public:     copyInner(c, p.pPublicData, p.ulPublicDataLen),
		}
	case m.mechanism == C.CKM_ML_DSA && m.ulParameterLen == C.sizeof_CK_SIGN_ADDITIONAL_CONTEXT:
		p := (*C.CK_SIGN_ADDITIONAL_CONTEXT)(m.pParameter)
		return &pkcs11.SignContext{Hedge: uint(p.hedgeVariant), Context: copyInner(c, p.pContext, p.ulContextLen)}
	case m.mechanism == C.CKM_AES_GCM && m.ulParameterLen == C.sizeof_CK_GCM_PARAMS:
		p := (*C.CK_GCM_PARAMS)(m.pParameter)
		return &pkcs11.GCMParams{
			IV: copyInner(c, p.pIv, p.ulIvLen), AAD: copyData(c, p.pAAD, p.ulAADLen), TagBits: uint(p.ulTagBits),
		}
	case m.mechanism == C.CKM_AES_GCM && m.ulParameterLen == C.sizeof_CK_GCM_WRAP_PARAMS:
		p := (*C.CK_GCM_WRAP_PARAMS)(m.pParameter)
		return &pkcs11.GCMWrapParams{ // of a call that ends with it
			IV: sliceOf[byte](c, p.pIv, p.ulIvLen), FixedBits: uint(p.ulIvFixedBits), Generator: uint(p.ivGenerator),
			AAD: copyData(c, p.pAAD, p.ulAADLen), TagBits: uint(p.ulTagBits),
		}
	case m.mechanism == C.CKM_RSA_PKCS_OAEP && m.ulParameterLen == C.sizeof_CK_RSA_PKCS_OAEP_PARAMS:
		return oaepParameter(c, (*C.CK_RSA_PKCS_OAEP_PARAMS)(m.pParameter))
	case m.mechanism == C.CKM_RSA_AES_KEY_WRAP && m.ulParameterLen == C.sizeof_CK_RSA_AES_KEY_WRAP_PARAMS:
		p := (*C.CK_RSA_AES_KEY_WRAP_PARAMS)(m.pParameter)
		return &pkcs11.RSAAESParams{KeyBits: uint(p.ulAESKeyBits), OAEP: oaepParameter(c, p.pOAEPParams)}
	}
	return derivationParameters(c, m)
}

// oaepParameter copies a CK_RSA_PKCS_OAEP_PARAMS; NULL stays nil.
func oaepParameter(c *call, p *C.CK_RSA_PKCS_OAEP_PARAMS) *pkcs11.OAEPParams {
	if p == nil || !required(c, p) {
		return nil
	}
	return &pkcs11.OAEPParams{
		Hash: uint(p.hashAlg), MGF: uint(p.mgf), Source: uint(p.source),
		Label: copyInner(c, (C.CK_BYTE_PTR)(p.pSourceData), p.ulSourceDataLen),
	}
}

func derivesECDH(m C.CK_MECHANISM_TYPE) bool {
	return m == C.CKM_ECDH1_DERIVE || m == C.CKM_ECDH1_COFACTOR_DERIVE
}

// copyInner copies a parameter, or bytes that it points to: an operation can outlive
// the call that begins it.
func copyInner(c *call, p C.CK_BYTE_PTR, n C.CK_ULONG) []byte {
	if n > math.MaxUint16 {
		c.refuse(pkcs11.CKR_MECHANISM_PARAM_INVALID)
		return nil
	}
	return copyData(c, p, n)
}

// copyData is copyInner for what may be long: the data that GCM authenticates besides.
func copyData(c *call, p C.CK_BYTE_PTR, n C.CK_ULONG) []byte {
	if n > maxBytes || p == nil && n > 0 {
		c.refuse(pkcs11.CKR_MECHANISM_PARAM_INVALID)
		return nil
	}
	return bytes.Clone(sliceOf[byte](c, p, n))
}
