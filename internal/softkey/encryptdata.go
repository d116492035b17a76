// SPDX-License-Identifier: Apache-2.0

package softkey

import "libzk_pkcs11/internal/secret"

// DeriveECB is CKM_AES_ECB_ENCRYPT_DATA: the first n bytes of what data encrypts to, for 0 all of them.
func (k *AES) DeriveECB(data []byte, n int) ([]byte, error) {
	return encryptedData(k.EncryptECB(), data, n)
}

// DeriveCBC is CKM_AES_CBC_ENCRYPT_DATA: the first n bytes of what data encrypts to, for 0 all of them.
func (k *AES) DeriveCBC(iv, data []byte, n int) ([]byte, error) {
	s, err := k.EncryptCBC(iv)
	if err != nil {
		return nil, err
	}
	return encryptedData(s, data, n)
}

// encryptedData encrypts data of whole blocks. Others are a parameter that is wrong.
func encryptedData(s Stream, data []byte, n int) ([]byte, error) {
	out, err := s.Whole(secret.Make(len(data))[:0], data)
	if err != nil {
		return nil, ErrParameter
	}
	return leading(out, n)
}
