// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goVerifyInit
func goVerifyInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.VerifyInit(uint(h), m, uint(key))
	}
	return rv
}

//export goVerify
func goVerify(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_Verify", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_VERIFY)
	if data, sig := sliceOf[byte](&c, data, n), sliceOf[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.Verify(uint(h), data, sig)
	}
	return rv
}

//export goVerifyUpdate
func goVerifyUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_VERIFY)
	if part := sliceOf[byte](&c, part, n); c.accepted() {
		c.err = c.library.provider.VerifyUpdate(uint(h), part)
	}
	return rv
}

//export goVerifyFinal
func goVerifyFinal(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyFinal", sessionArg(h), lengthArg(ns))
	defer c.endOperation(&rv, h, C.CKF_VERIFY)
	if sig := sliceOf[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.VerifyFinal(uint(h), sig)
	}
	return rv
}

//export goVerifySignatureInit
func goVerifySignatureInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifySignatureInit", sessionArg(h), mechanismArg(m), objectArg(key), lengthArg(ns))
	defer c.endWithin(&rv, h)
	if m, sig := mechanism(&c, m), sliceOf[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.VerifySignatureInit(uint(h), m, uint(key), sig)
	}
	return rv
}

//export goVerifySignature
func goVerifySignature(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifySignature", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_VERIFY)
	if data := sliceOf[byte](&c, data, n); c.accepted() {
		c.err = c.library.provider.VerifySignature(uint(h), data)
	}
	return rv
}

//export goVerifySignatureUpdate
func goVerifySignatureUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifySignatureUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_VERIFY)
	if part := sliceOf[byte](&c, part, n); c.accepted() {
		c.err = c.library.provider.VerifySignatureUpdate(uint(h), part)
	}
	return rv
}

//export goVerifySignatureFinal
func goVerifySignatureFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifySignatureFinal", sessionArg(h))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.VerifySignatureFinal(uint(h))
	}
	return rv
}
