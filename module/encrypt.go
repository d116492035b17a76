// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

//export goEncryptInit
func goEncryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_EncryptInit", h, args{sessionArg(h), mechanismArg(m), objectArg(key)}, func(p *pkcs11.Provider) error {
		return p.EncryptInit(uint(h), mechanism(m), uint(key))
	})
}

//export goEncrypt
func goEncrypt(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_ENCRYPT, "C_Encrypt", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.Encrypt(uint(h), view[byte](data, n), output[byte](out, nout))
	})
}

//export goEncryptUpdate
func goEncryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_ENCRYPT, "C_EncryptUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.EncryptUpdate(uint(h), view[byte](part, n), output[byte](out, nout))
	})
}

//export goEncryptFinal
func goEncryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_ENCRYPT, "C_EncryptFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.EncryptFinal(uint(h), output[byte](out, nout))
	})
}

//export goDecryptInit
func goDecryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return within("C_DecryptInit", h, args{sessionArg(h), mechanismArg(m), objectArg(key)}, func(p *pkcs11.Provider) error {
		return p.DecryptInit(uint(h), mechanism(m), uint(key))
	})
}

//export goDecrypt
func goDecrypt(h C.CK_SESSION_HANDLE, data C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_DECRYPT, "C_Decrypt", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.Decrypt(uint(h), view[byte](data, n), output[byte](out, nout))
	})
}

//export goDecryptUpdate
func goDecryptUpdate(h C.CK_SESSION_HANDLE, part C.CK_BYTE_PTR, n C.CK_ULONG, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_DECRYPT, "C_DecryptUpdate", h, args{sessionArg(h), lengthArg(n)}, func(p *pkcs11.Provider) error {
		return p.DecryptUpdate(uint(h), view[byte](part, n), output[byte](out, nout))
	})
}

//export goDecryptFinal
func goDecryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, nout C.CK_ULONG_PTR) C.CK_RV {
	return during(C.CKF_DECRYPT, "C_DecryptFinal", h, args{sessionArg(h)}, func(p *pkcs11.Provider) error {
		return p.DecryptFinal(uint(h), output[byte](out, nout))
	})
}
