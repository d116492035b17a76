// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

// wrapMechanism converts the mechanism of a key that is wrapped with other data: its parameter is that of a message.
func wrapMechanism(c *call, m C.CK_MECHANISM_PTR) *pkcs11.Mechanism {
	if m == nil || !required(c, m) {
		return nil
	}
	if m.mechanism != C.CKM_AES_GCM {
		return mechanism(c, m)
	}
	return &pkcs11.Mechanism{Type: uint(m.mechanism), Params: gcmMessage(c, m.pParameter, m.ulParameterLen)}
}

//export goWrapKeyAuthenticated
func goWrapKeyAuthenticated(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, wrapping, key C.CK_OBJECT_HANDLE, aad C.CK_BYTE_PTR, na C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_WrapKeyAuthenticated", sessionArg(h), mechanismArg(m), objectArg(wrapping), objectArg(key))
	defer c.endWithin(&rv, h)
	how, aside := wrapMechanism(&c, m), sliceOf[byte](&c, aad, na)
	if out := output[byte](&c, out, nout); c.accepted() {
		c.err = c.library.provider.WrapKeyAuthenticated(uint(h), how, uint(wrapping), uint(key), aside, out)
	}
	return rv
}

//export goUnwrapKeyAuthenticated
func goUnwrapKeyAuthenticated(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, unwrapping C.CK_OBJECT_HANDLE, wrapped C.CK_BYTE_PTR, nwrapped C.CK_ULONG, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, aad C.CK_BYTE_PTR, na C.CK_ULONG, key C.CK_OBJECT_HANDLE_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_UnwrapKeyAuthenticated", sessionArg(h), mechanismArg(m), objectArg(unwrapping), lengthArg(nwrapped), typesArg(t, n))
	defer c.endWithin(&rv, h)
	to, how := destinationOf(&c, key, toULong), wrapMechanism(&c, m)
	if content, aside, list := sliceOf[byte](&c, wrapped, nwrapped), sliceOf[byte](&c, aad, na), template(&c, t, n); c.accepted() {
		c.err = to.deliver(c.library.provider.UnwrapKeyAuthenticated(uint(h), how, uint(unwrapping), content, list, aside))
	}
	return rv
}
