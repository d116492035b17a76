// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"math"

	"libzk_pkcs11/internal/softkey"
)

// GCMParams is a CK_GCM_PARAMS. Its ulIvBits tells nothing that the length of the IV does not.
type GCMParams struct {
	IV, AAD []byte
	TagBits uint
}

// gcmParams checks that there is a parameter. What is in it is checked with the key.
func gcmParams(m *Mechanism) error {
	if _, is := m.Params.(*GCMParams); !is {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// gcm is the parameter of a mechanism that gcmParams has checked.
func (m *Mechanism) gcm() softkey.GCM {
	p := m.Params.(*GCMParams)
	return softkey.GCM{IV: p.IV, AAD: p.AAD, TagBits: int(min(p.TagBits, math.MaxInt32))}
}

func encryptGCM(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptGCM(t.how.gcm())
}

func decryptGCM(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptGCM(t.how.gcm())
}
