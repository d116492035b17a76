// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goEncryptInit
func goEncryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.EncryptInit(uint(h), m, uint(key))
	}
	return rv
}

//export goEncrypt
func goEncrypt(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_Encrypt", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_ENCRYPT)
	if data, out := sliceOf[byte](&c, data, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.Encrypt(uint(h), data, out)
	}
	return rv
}

//export goEncryptUpdate
func goEncryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_ENCRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.EncryptUpdate(uint(h), part, out)
	}
	return rv
}

//export goEncryptFinal
func goEncryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_ENCRYPT)
	if out := output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.EncryptFinal(uint(h), out)
	}
	return rv
}

//export goDecryptInit
func goDecryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.DecryptInit(uint(h), m, uint(key))
	}
	return rv
}

//export goDecrypt
func goDecrypt(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_Decrypt", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DECRYPT)
	if data, out := sliceOf[byte](&c, data, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.Decrypt(uint(h), data, out)
	}
	return rv
}

//export goDecryptUpdate
func goDecryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DECRYPT)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptUpdate(uint(h), part, out)
	}
	return rv
}

//export goDecryptFinal
func goDecryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_DECRYPT)
	if out := output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptFinal(uint(h), out)
	}
	return rv
}
