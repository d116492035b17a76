// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"math"

	"libzk_pkcs11/internal/softkey"
)

// macSize reads a CK_MAC_GENERAL_PARAMS: the length of a code.
func (m *Mechanism) macSize() (int, error) {
	n, is := decodeULong(m.Parameter)
	if !is {
		return 0, CKR_MECHANISM_PARAM_INVALID
	}
	return int(min(n, math.MaxInt32)), nil
}

func signCMAC(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.CMAC(), nil
}

func verifyCMAC(t *task) (softkey.Verifier, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.CMAC(), nil
}

func signCMACGeneral(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	size, err := t.how.macSize()
	if err != nil {
		return nil, err
	}
	return k.CMACGeneral(size)
}

func verifyCMACGeneral(t *task) (softkey.Verifier, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	size, err := t.how.macSize()
	if err != nil {
		return nil, err
	}
	return k.CMACGeneral(size)
}
