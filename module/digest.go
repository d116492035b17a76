// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goDigestInit
func goDigestInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DigestInit", sessionArg(h), mechanismArg(m))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.DigestInit(uint(h), m)
	}
	return rv
}

//export goDigest
func goDigest(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, digest C.CK_BYTE_PTR, nd C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_Digest", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DIGEST)
	if data, digest := sliceOf[byte](&c, data, n), output[byte](&c, digest, nd); c.accepted() {
		c.err = c.library.provider.Digest(uint(h), data, digest)
	}
	return rv
}

//export goDigestUpdate
func goDigestUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_DigestUpdate", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_DIGEST)
	if part := sliceOf[byte](&c, part, n); c.accepted() {
		c.err = c.library.provider.DigestUpdate(uint(h), part)
	}
	return rv
}

//export goDigestKey
func goDigestKey(h C.CK_SESSION_HANDLE, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_DigestKey", sessionArg(h), objectArg(key))
	defer c.endWithin(&rv, h)
	if c.accepted() {
		c.err = c.library.provider.DigestKey(uint(h), uint(key))
	}
	return rv
}

//export goDigestFinal
func goDigestFinal(h C.CK_SESSION_HANDLE, digest C.CK_BYTE_PTR, nd C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DigestFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_DIGEST)
	if digest := output[byte](&c, digest, nd); c.accepted() {
		c.err = c.library.provider.DigestFinal(uint(h), digest)
	}
	return rv
}
