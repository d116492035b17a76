// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goVerifyInit
func goVerifyInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_VerifyInit", h, args{sessionArg(h), mechanismArg(m), objectArg(key)}, func(p *pkcs11.Provider) error {
		return p.VerifyInit(uint(h), mechanism(m), uint(key))
	})
}

//export goVerify
func goVerify(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, sig C.CK_BYTE_PTR, ns C.CK_ULONG) C.CK_RV {
	return during(C.CKF_VERIFY, "C_Verify", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.Verify(uint(h), view[byte](data, n), view[byte](sig, ns))
	})
}

//export goVerifyUpdate
func goVerifyUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return during(C.CKF_VERIFY, "C_VerifyUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.VerifyUpdate(uint(h), view[byte](part, n))
	})
}

//export goVerifyFinal
func goVerifyFinal(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG) C.CK_RV {
	return during(C.CKF_VERIFY, "C_VerifyFinal", h, args{sessionArg(h), lengthArg(ns)}, func(p *pkcs11.Provider) error {
		return p.VerifyFinal(uint(h), view[byte](sig, ns))
	})
}

//export goVerifySignatureInit
func goVerifySignatureInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE, sig C.CK_BYTE_PTR, ns C.CK_ULONG) C.CK_RV {
	return within("C_VerifySignatureInit", h, args{sessionArg(h), mechanismArg(m), objectArg(key), lengthArg(ns)}, func(p *pkcs11.Provider) error {
		return p.VerifySignatureInit(uint(h), mechanism(m), uint(key), view[byte](sig, ns))
	})
}

//export goVerifySignature
func goVerifySignature(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return during(C.CKF_VERIFY, "C_VerifySignature", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.VerifySignature(uint(h), view[byte](data, n))
	})
}

//export goVerifySignatureUpdate
func goVerifySignatureUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return during(C.CKF_VERIFY, "C_VerifySignatureUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.VerifySignatureUpdate(uint(h), view[byte](part, n))
	})
}

//export goVerifySignatureFinal
func goVerifySignatureFinal(h C.CK_SESSION_HANDLE) C.CK_RV {
	return within("C_VerifySignatureFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.VerifySignatureFinal(uint(h))
	})
}
