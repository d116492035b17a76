// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

// longestTag is of which tags there may be any, in bits.
const longestTag = 1024

// messageMechanism converts the mechanism of messages, whose parameter is not looked into: each message brings one.
func messageMechanism(c *call, m C.CK_MECHANISM_PTR) *pkcs11.Mechanism {
	if m == nil || !required(c, m) {
		return nil
	}
	parameter := copyInner(c, (C.CK_BYTE_PTR)(m.pParameter), m.ulParameterLen)
	return &pkcs11.Mechanism{Type: uint(m.mechanism), Parameter: parameter}
}

// gcmMessage shows the parameter of one message, NULL as nil.
func gcmMessage(c *call, p C.CK_VOID_PTR, n C.CK_ULONG) *pkcs11.GCMMessage {
	if !c.accepted() || p == nil && n == 0 {
		return nil
	}
	if n != C.sizeof_CK_GCM_MESSAGE_PARAMS || p == nil {
		c.refuse(pkcs11.CKR_MECHANISM_PARAM_INVALID)
		return nil
	}
	if !required(c, (*C.CK_GCM_MESSAGE_PARAMS)(p)) {
		return nil
	}
	given := *(*C.CK_GCM_MESSAGE_PARAMS)(p)
	m := &pkcs11.GCMMessage{
		IV: sliceOf[byte](c, given.pIv, given.ulIvLen), FixedBits: uint(given.ulIvFixedBits), Generator: uint(given.ivGenerator), TagBits: uint(given.ulTagBits),
	}
	if given.pTag != nil && given.ulTagBits <= longestTag {
		m.Tag = sliceOf[byte](c, given.pTag, given.ulTagBits/8)
	}
	return m
}

//export goMessageEncryptInit
func goMessageEncryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageEncryptInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := messageMechanism(&c, m); c.accepted() {
		c.err = c.library.provider.MessageEncryptInit(uint(h), m, uint(key))
	}
	return rv
}

//export goEncryptMessage
func goEncryptMessage(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, aad C.CK_BYTE_PTR, na C.CK_ULONG, data C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptMessage", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_ENCRYPT)
	m, aside := gcmMessage(&c, p, np), sliceOf[byte](&c, aad, na)
	if data, out := sliceOf[byte](&c, data, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.EncryptMessage(uint(h), m, aside, data, out)
	}
	return rv
}

//export goEncryptMessageBegin
func goEncryptMessageBegin(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, aad C.CK_BYTE_PTR, na C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptMessageBegin", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_ENCRYPT)
	if m, aside := gcmMessage(&c, p, np), sliceOf[byte](&c, aad, na); c.accepted() {
		c.err = c.library.provider.EncryptMessageBegin(uint(h), m, aside)
	}
	return rv
}

//export goEncryptMessageNext
func goEncryptMessageNext(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR, flags C.CK_FLAGS) (rv C.CK_RV) {
	var c call
	c.begin("C_EncryptMessageNext", sessionArg(h), lengthArg(n), flagsArg(flags))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_ENCRYPT)
	m := gcmMessage(&c, p, np)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.EncryptMessageNext(uint(h), m, part, out, uint(flags))
	}
	return rv
}

//export goMessageEncryptFinal
func goMessageEncryptFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageEncryptFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_ENCRYPT)
	if c.accepted() {
		c.err = c.library.provider.MessageEncryptFinal(uint(h))
	}
	return rv
}

//export goMessageDecryptInit
func goMessageDecryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageDecryptInit", sessionArg(h), mechanismArg(m), objectArg(key))
	defer c.endWithin(&rv, h)
	if m := messageMechanism(&c, m); c.accepted() {
		c.err = c.library.provider.MessageDecryptInit(uint(h), m, uint(key))
	}
	return rv
}

//export goDecryptMessage
func goDecryptMessage(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, aad C.CK_BYTE_PTR, na C.CK_ULONG, text C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptMessage", sessionArg(h), lengthArg(n))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_DECRYPT)
	m, aside := gcmMessage(&c, p, np), sliceOf[byte](&c, aad, na)
	if text, out := sliceOf[byte](&c, text, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptMessage(uint(h), m, aside, text, out)
	}
	return rv
}

//export goDecryptMessageBegin
func goDecryptMessageBegin(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, aad C.CK_BYTE_PTR, na C.CK_ULONG) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptMessageBegin", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_DECRYPT)
	if m, aside := gcmMessage(&c, p, np), sliceOf[byte](&c, aad, na); c.accepted() {
		c.err = c.library.provider.DecryptMessageBegin(uint(h), m, aside)
	}
	return rv
}

//export goDecryptMessageNext
func goDecryptMessageNext(h C.CK_SESSION_HANDLE, p C.CK_VOID_PTR, np C.CK_ULONG, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR, flags C.CK_FLAGS) (rv C.CK_RV) {
	var c call
	c.begin("C_DecryptMessageNext", sessionArg(h), lengthArg(n), flagsArg(flags))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_DECRYPT)
	m := gcmMessage(&c, p, np)
	if part, out := sliceOf[byte](&c, part, n), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.DecryptMessageNext(uint(h), m, part, out, uint(flags))
	}
	return rv
}

//export goMessageDecryptFinal
func goMessageDecryptFinal(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_MessageDecryptFinal", sessionArg(h))
	defer c.endOperation(&rv, h, C.CKF_MESSAGE_DECRYPT)
	if c.accepted() {
		c.err = c.library.provider.MessageDecryptFinal(uint(h))
	}
	return rv
}
