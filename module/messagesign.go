// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

// No mechanism has a parameter for the signature of one message.

//export goMessageSignInit
func goMessageSignInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageSignInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.MessageSignInit(uint(h), m, uint(key))
	}
	return rv
}

//export goSignMessage
func goSignMessage(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_SignMessage", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_SIGN)
	c.mustBeNULL(p)
	if data, out := sliceOf[byte](&c, data, n), output[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.SignMessage(uint(h), data, out)
	}
	return rv
}

//export goSignMessageBegin
func goSignMessageBegin(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_SignMessageBegin", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_SIGN)
	c.mustBeNULL(p)
	if c.accepted() {
		c.err = c.library.provider.SignMessageBegin(uint(h))
	}
	return rv
}

//export goSignMessageNext
func goSignMessageNext(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, part C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_SignMessageNext", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_SIGN)
	c.mustBeNULL(p)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.SignMessageNext(uint(h), part, out)
	}
	return rv
}

//export goMessageSignFinal
func goMessageSignFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageSignFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_SIGN)
	if c.accepted() {
		c.err = c.library.provider.MessageSignFinal(uint(h))
	}
	return rv
}

//export goMessageVerifyInit
func goMessageVerifyInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageVerifyInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := mechanism(&c, m); c.accepted() {
		c.err = c.library.provider.MessageVerifyInit(uint(h), m, uint(key))
	}
	return rv
}

//export goVerifyMessage
func goVerifyMessage(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyMessage", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_VERIFY)
	c.mustBeNULL(p)
	if data, signature := sliceOf[byte](&c, data, n), sliceOf[byte](&c, sig, ns); c.accepted() {
		c.err = c.library.provider.VerifyMessage(uint(h), data, signature)
	}
	return rv
}

//export goVerifyMessageBegin
func goVerifyMessageBegin(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyMessageBegin", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_VERIFY)
	c.mustBeNULL(p)
	if c.accepted() {
		c.err = c.library.provider.VerifyMessageBegin(uint(h))
	}
	return rv
}

// lastSignature shows the signature that comes with the last part of a message. NULL says that more is to come, whatever its length.
func lastSignature(c *call, sig C.CK_BYTE_PTR, n C.CK_ULONG) []byte {
	if sig == nil {
		return nil
	}
	return sliceOf[byte](c, sig, n)
}

//export goVerifyMessageNext
func goVerifyMessageNext(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, part C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_VerifyMessageNext", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_VERIFY)
	c.mustBeNULL(p)
	if part, signature := sliceOf[byte](&c, part, n), lastSignature(&c, sig, ns); c.accepted() {
		c.err = c.library.provider.VerifyMessageNext(uint(h), part, signature)
	}
	return rv
}

//export goMessageVerifyFinal
func goMessageVerifyFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageVerifyFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_VERIFY)
	if c.accepted() {
		c.err = c.library.provider.MessageVerifyFinal(uint(h))
	}
	return rv
}
