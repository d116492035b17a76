// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

var aesMechanisms = map[uint]mechanism{
	CKM_AES_KEY_GEN: {keys: aesKeys, generateKey: makeAES},

	CKM_AES_CBC_PAD: {keys: aesKeys, encrypt: encryptCBCPad, decrypt: decryptCBCPad, params: anyBytes},
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

func encryptCBCPad(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptCBCPad(t.how.Parameter)
}

func decryptCBCPad(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptCBCPad(t.how.Parameter)
}
