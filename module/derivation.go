// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import "libzk_pkcs11/pkcs11"

// derivationParameters copies a parameter of a derivation that holds pointers; nil for every other.
func derivationParameters(c *call, m C.CK_MECHANISM_PTR) any {
	switch {
	case takesDerivationData(m.mechanism) && m.ulParameterLen == C.sizeof_CK_KEY_DERIVATION_STRING_DATA:
		p := (*C.CK_KEY_DERIVATION_STRING_DATA)(m.pParameter)
		return &pkcs11.DerivationData{Data: copyInner(c, p.pData, p.ulLen)}
	case m.mechanism == C.CKM_AES_CBC_ENCRYPT_DATA && m.ulParameterLen == C.sizeof_CK_AES_CBC_ENCRYPT_DATA_PARAMS:
		p := (*C.CK_AES_CBC_ENCRYPT_DATA_PARAMS)(m.pParameter)
		return &pkcs11.EncryptedData{IV: copyInner(c, &p.iv[0], C.CK_ULONG(len(p.iv))), Data: copyInner(c, p.pData, p.length)}
	case (m.mechanism == C.CKM_HKDF_DERIVE || m.mechanism == C.CKM_HKDF_DATA) && m.ulParameterLen == C.sizeof_CK_HKDF_PARAMS:
		return hkdfParameter(c, (*C.CK_HKDF_PARAMS)(m.pParameter))
	case m.mechanism == C.CKM_PKCS5_PBKD2 && m.ulParameterLen == C.sizeof_CK_PKCS5_PBKD2_PARAMS2:
		p := (*C.CK_PKCS5_PBKD2_PARAMS2)(m.pParameter)
		return &pkcs11.PBKDF2Params{
			SaltSource: uint(p.saltSource), Salt: copyInner(c, C.CK_BYTE_PTR(p.pSaltSourceData), p.ulSaltSourceDataLen),
			Iterations: uint(p.iterations), PRF: uint(p.prf), PRFData: copyInner(c, C.CK_BYTE_PTR(p.pPrfData), p.ulPrfDataLen),
			Password: copyInner(c, C.CK_BYTE_PTR(p.pPassword), p.ulPasswordLen),
		}
	}
	return nil
}

func takesDerivationData(m C.CK_MECHANISM_TYPE) bool {
	switch m {
	case C.CKM_CONCATENATE_BASE_AND_DATA, C.CKM_CONCATENATE_DATA_AND_BASE, C.CKM_XOR_BASE_AND_DATA, C.CKM_AES_ECB_ENCRYPT_DATA:
		return true
	}
	return false
}

// hkdfParameter copies a CK_HKDF_PARAMS. What it does not use may be anything.
func hkdfParameter(c *call, p *C.CK_HKDF_PARAMS) any {
	h := &pkcs11.HKDFParams{
		Extract: p.bExtract != C.CK_FALSE, Expand: p.bExpand != C.CK_FALSE,
		Hash: uint(p.prfHashMechanism), SaltType: uint(p.ulSaltType), SaltKey: uint(p.hSaltKey),
	}
	if h.Extract && h.SaltType == C.CKF_HKDF_SALT_DATA {
		h.Salt = copyInner(c, p.pSalt, p.ulSaltLen)
	}
	if h.Expand {
		h.Info = copyInner(c, p.pInfo, p.ulInfoLen)
	}
	return h
}
