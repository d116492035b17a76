// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goEncapsulateKey
func goEncapsulateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, public C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_EncapsulateKey", sessionArg(h), mechanismArg(m), objectArg(public), typesArg(t, n))
	defer c.endWithin(&rv, h)
	to, how := destinationOf(&c, key, toULong), mechanism(&c, m)
	if list, out := template(&c, t, n), output[byte](&c, out, nout); c.accepted() {
		c.err = to.deliver(c.library.provider.EncapsulateKey(uint(h), how, uint(public), list, out))
	}
	return rv
}

//export goDecapsulateKey
func goDecapsulateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, private C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, text C.CK_BYTE_PTR, ntext C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_DecapsulateKey", sessionArg(h), mechanismArg(m), objectArg(private), typesArg(t, n), lengthArg(ntext))
	defer c.endWithin(&rv, h)
	to, how := destinationOf(&c, key, toULong), mechanism(&c, m)
	if list, content := template(&c, t, n), sliceOf[byte](&c, text, ntext); c.accepted() {
		c.err = to.deliver(c.library.provider.DecapsulateKey(uint(h), how, uint(private), list, content))
	}
	return rv
}
