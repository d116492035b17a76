// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goSignInit
func goSignInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_SignInit", h, args{sessionArg(h), mechanismArg(m), objectArg(key)}, func(p *pkcs11.Provider) error {
		return p.SignInit(uint(h), mechanism(m), uint(key))
	})
}

//export goSign
func goSign(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_SIGN, "C_Sign", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.Sign(uint(h), view[byte](data, n), output[byte](sig, ns))
	})
}

//export goSignUpdate
func goSignUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return during(C.CKF_SIGN, "C_SignUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.SignUpdate(uint(h), view[byte](part, n))
	})
}

//export goSignFinal
func goSignFinal(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_SIGN, "C_SignFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.SignFinal(uint(h), output[byte](sig, ns))
	})
}
