// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goDigestEncryptUpdate
func goDigestEncryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DigestEncryptUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_ENCRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DigestEncryptUpdate(uint(h), part, out)
	}
	return rv
}

//export goDecryptDigestUpdate
func goDecryptDigestUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptDigestUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DECRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptDigestUpdate(uint(h), part, out)
	}
	return rv
}

//export goSignEncryptUpdate
func goSignEncryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_SignEncryptUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_ENCRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.SignEncryptUpdate(uint(h), part, out)
	}
	return rv
}

//export goDecryptVerifyUpdate
func goDecryptVerifyUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptVerifyUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DECRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptVerifyUpdate(uint(h), part, out)
	}
	return rv
}
