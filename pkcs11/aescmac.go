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

// cmacGeneral begins a code of which as much counts as the parameter says.
func (t *task) cmacGeneral() (*softkey.MAC, error) {
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

// cmac begins a code, which is made or checked.
func (t *task) cmac() (*softkey.MAC, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.CMAC(), nil
}

func signCMAC(t *task) (softkey.Signer, error)            { return signerOf(t.cmac()) }
func verifyCMAC(t *task) (softkey.Verifier, error)        { return verifierOf(t.cmac()) }
func signCMACGeneral(t *task) (softkey.Signer, error)     { return signerOf(t.cmacGeneral()) }
func verifyCMACGeneral(t *task) (softkey.Verifier, error) { return verifierOf(t.cmacGeneral()) }
