// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goGetInfo
func goGetInfo(info C.CK_INFO_PTR) (rv C.CK_RV) {
	var c call
	c.begin("C_GetInfo")
	defer c.end(&rv)
	if to := destinationOf(&c, info, infoOf); c.accepted() {
		c.err = to.deliver(c.library.provider.GetInfo())
	}
	return rv
}

// The parallel functions are there for old programs, and always answer this.

//export goGetFunctionStatus
func goGetFunctionStatus(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_GetFunctionStatus", sessionArg(h))
	defer c.end(&rv)
	if c.accepted() {
		c.err = pkcs11.CKR_FUNCTION_NOT_PARALLEL
	}
	return rv
}

//export goCancelFunction
func goCancelFunction(h C.CK_SESSION_HANDLE) (rv C.CK_RV) {
	var c call
	c.begin("C_CancelFunction", sessionArg(h))
	defer c.end(&rv)
	if c.accepted() {
		c.err = pkcs11.CKR_FUNCTION_NOT_PARALLEL
	}
	return rv
}
