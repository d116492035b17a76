// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goDigestInit
func goDigestInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR) C.CK_RV {
	return within("C_DigestInit", h, args{sessionArg(h), mechanismArg(m)}, func(p *pkcs11.Provider) error {
		return p.DigestInit(uint(h), mechanism(m))
	})
}

//export goDigest
func goDigest(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, digest C.CK_BYTE_PTR, nd C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_DIGEST, "C_Digest", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.Digest(uint(h), view[byte](data, n), output[byte](digest, nd))
	})
}

//export goDigestUpdate
func goDigestUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG) C.CK_RV {
	return during(C.CKF_DIGEST, "C_DigestUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.DigestUpdate(uint(h), view[byte](part, n))
	})
}

//export goDigestKey
func goDigestKey(h C.CK_SESSION_HANDLE, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_DigestKey", h, args{sessionArg(h), objectArg(key)}, func(p *pkcs11.Provider) error {
		return p.DigestKey(uint(h), uint(key))
	})
}

//export goDigestFinal
func goDigestFinal(h C.CK_SESSION_HANDLE, digest C.CK_BYTE_PTR, nd C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_DIGEST, "C_DigestFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.DigestFinal(uint(h), output[byte](digest, nd))
	})
}
