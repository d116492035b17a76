// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

func encryptECB(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptECB(), nil
}

func decryptECB(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptECB(), nil
}

func encryptCBC(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptCBC(t.how.Parameter)
}

func decryptCBC(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptCBC(t.how.Parameter)
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

// cryptCTR reads a CK_AES_CTR_PARAMS: a number, and the first block. Both ways are the same.
func cryptCTR(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	p := t.how.Parameter
	if len(p) != ulongSize+16 {
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	bits, _ := decodeULong(p[:ulongSize])
	return k.CTR(int(min(bits, 1<<16)), p[ulongSize:])
}
