// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

var aesMechanisms = map[uint]mechanism{
	CKM_AES_KEY_GEN: {keys: aesKeys, generateKey: makeAES},

	CKM_AES_ECB:     {keys: aesKeys, encrypt: encryptECB, decrypt: decryptECB},
	CKM_AES_CBC:     {keys: aesKeys, encrypt: encryptCBC, decrypt: decryptCBC, params: anyBytes},
	CKM_AES_CBC_PAD: {keys: aesKeys, encrypt: encryptCBCPad, decrypt: decryptCBCPad, params: anyBytes},
	CKM_AES_CTR:     {keys: aesKeys, encrypt: cryptCTR, decrypt: cryptCTR, params: anyBytes},
	CKM_AES_GCM:     {keys: aesKeys, encrypt: encryptGCM, decrypt: decryptGCM, messages: messagesGCM, params: gcmParams},

	CKM_AES_CMAC:         {keys: aesKeys, sign: signCMAC, verify: verifyCMAC},
	CKM_AES_CMAC_GENERAL: {keys: aesKeys, sign: signCMACGeneral, verify: verifyCMACGeneral, params: anyBytes},

	CKM_AES_KEY_WRAP:       {keys: aesKeys, encrypt: encryptWrap, decrypt: decryptWrap, onePart: true, params: anyBytes},
	CKM_AES_KEY_WRAP_KWP:   {keys: aesKeys, encrypt: encryptWrapPadded, decrypt: decryptWrapPadded, onePart: true, params: anyBytes},
	CKM_AES_KEY_WRAP_PAD:   {keys: aesKeys, encrypt: encryptWrapPadded, decrypt: decryptWrapPadded, onePart: true, params: anyBytes},
	CKM_AES_KEY_WRAP_PKCS7: {keys: aesKeys, encrypt: encryptWrapPKCS7, decrypt: decryptWrapPKCS7, onePart: true, params: anyBytes},
}

// makeAES makes the value of a key as its template wants it.
func makeAES(a attributes) ([]byte, error) {
	k, err := softkey.GenerateAES(int(min(a.number(CKA_VALUE_LEN), 1<<16)))
	if err != nil {
		return nil, refuse(CKR_ATTRIBUTE_VALUE_INVALID, CKA_VALUE_LEN, "is not 16, 24 or 32")
	}
	return k.Value(), nil
}

// anyBytes is for mechanisms whose parameter is bytes, which their function checks.
func anyBytes(m *Mechanism) error {
	if m.Params != nil {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}
