// SPDX-License-Identifier: Apache-2.0

package pkcs11

// wrappings are the mechanisms that wrap keys by what they encrypt with. A key is padded with zeros to a multiple of so
// many bytes.
var wrappings = map[uint]int{
	CKM_AES_KEY_WRAP:       8,
	CKM_AES_KEY_WRAP_PAD:   1,
	CKM_AES_KEY_WRAP_KWP:   1,
	CKM_AES_KEY_WRAP_PKCS7: 1,
	CKM_AES_ECB:            16,
	CKM_AES_CBC:            16,
	CKM_AES_CBC_PAD:        1,
	CKM_AES_CTR:            1,
	CKM_AES_GCM:            1,
	CKM_RSA_PKCS:           1,
	CKM_RSA_PKCS_OAEP:      1,
	CKM_RSA_AES_KEY_WRAP:   1,
}

// withWrapping adds to the rows of a table that wrap.
func withWrapping(table map[uint]*mechanism) map[uint]*mechanism {
	for typ, block := range wrappings {
		if row, has := table[typ]; has && row.encrypt != nil {
			row.wrapBlock = block
		}
	}
	return table
}

// wraps reports whether a mechanism wraps keys.
func (m *mechanism) wraps() bool { return m.wrapBlock > 0 }
