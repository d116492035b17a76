// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goSignRecoverInit
func goSignRecoverInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_SignRecoverInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.SignRecoverInit(uint(h), m, uint(key))
	}
	return rv
}

//export goSignRecover
func goSignRecover(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_SignRecover", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_SIGN_RECOVER)
	if data, sig := sliceOf[byte](&c, data, n), output[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.SignRecover(uint(h), data, sig)
	}
	return rv
}

//export goVerifyRecoverInit
func goVerifyRecoverInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyRecoverInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.VerifyRecoverInit(uint(h), m, uint(key))
	}
	return rv
}

//export goVerifyRecover
func goVerifyRecover(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG, data C.CK_BYTE_PTR, n C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyRecover", sessionArg(h), lengthArg(ns))
	defer c.endOperation(&rv, h, C.CKF_VERIFY_RECOVER)
	if sig, data := sliceOf[byte](&c, sig, ns), output[byte](&c, data, n); c.accepted() {
		c.err = c.library.provider.VerifyRecover(uint(h), sig, data)
	}
	return rv
}
