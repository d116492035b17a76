// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goSignInit
func goSignInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_SignInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.SignInit(uint(h), m, uint(key))
	}
	return rv
}

//export goSign
func goSign(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_Sign", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_SIGN)
	if data, sig := sliceOf[byte](&c, data, n), output[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.Sign(uint(h), data, sig)
	}
	return rv
}

//export goSignUpdate
func goSignUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_SignUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_SIGN)
	if part := sliceOf[byte](&c, part, n); c.accepted() {
		c.err = c.library.provider.SignUpdate(uint(h), part)
	}
	return rv
}

//export goSignFinal
func goSignFinal(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_SignFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_SIGN)
	if sig := output[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.SignFinal(uint(h), sig)
	}
	return rv
}
