// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goGetInfo
func goGetInfo(info C.CK_INFO_PTR) C.CK_RV {
	return call("C_GetInfo", nil, func(p *pkcs11.Provider) error {
		return fill(info, infoOf)(p.GetInfo())
	})
}

// The parallel functions are there for old programs, and always answer this.

//export goGetFunctionStatus
func goGetFunctionStatus(h C.CK_SESSION_HANDLE) C.CK_RV {
	return call("C_GetFunctionStatus", args{sessionArg(h)}, func(*pkcs11.Provider) error {
		return pkcs11.CKR_FUNCTION_NOT_PARALLEL
	})
}

//export goCancelFunction
func goCancelFunction(h C.CK_SESSION_HANDLE) C.CK_RV {
	return call("C_CancelFunction", args{sessionArg(h)}, func(*pkcs11.Provider) error {
		return pkcs11.CKR_FUNCTION_NOT_PARALLEL
	})
}
