// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

//export goWrapKey
func goWrapKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, wrapping, key C.CK_OBJECT_HANDLE, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_WrapKey", sessionArg(h), mechanismArg(m), objectArg(wrapping), objectArg(key))
	defer c.endWithin(&rv, h)
	if m, out := mechanism(&c, m), output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.WrapKey(uint(h), m, uint(wrapping), uint(key), out)
	}
	return rv
}

//export goUnwrapKey
func goUnwrapKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, unwrapping C.CK_OBJECT_HANDLE, wrapped C.CK_BYTE_PTR, nwrapped C.CK_ULONG, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_UnwrapKey", sessionArg(h), mechanismArg(m), objectArg(unwrapping), lengthArg(nwrapped), typesArg(t, n))
	defer c.endWithin(&rv, h)
	to, how := destinationOf(&c, key, toULong), mechanism(&c, m)
	if content, list := sliceOf[byte](&c, wrapped, nwrapped), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.UnwrapKey(uint(h), how, uint(unwrapping), content, list))
	}
	return rv
}
