// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// OAEPParams is a CK_RSA_PKCS_OAEP_PARAMS.
type OAEPParams struct {
	Hash, MGF uint // CKM_, CKG_
	Source    uint // CKZ_
	Label     []byte
}

// noSource is the source of a label that there is none of.
const noSource = 0

// oaepParams checks the parameter of OAEP.
func oaepParams(m *Mechanism) error {
	p, _ := m.Params.(*OAEPParams)
	return p.check()
}

func (p *OAEPParams) check() error {
	switch {
	case p == nil, hashOf(p.Hash) == 0, masks[p.MGF] == 0:
		return CKR_MECHANISM_PARAM_INVALID
	case p.Source == CKZ_DATA_SPECIFIED, p.Source == noSource && len(p.Label) == 0:
		return nil
	}
	return CKR_MECHANISM_PARAM_INVALID
}

// oaep is the parameter of a mechanism that oaepParams has checked.
func (m *Mechanism) oaep() softkey.OAEP { return m.Params.(*OAEPParams).oaep() }

func (p *OAEPParams) oaep() softkey.OAEP {
	return softkey.OAEP{Hash: hashOf(p.Hash), MGF: masks[p.MGF], Label: p.Label}
}

func encryptOAEP(t *task) (softkey.Stream, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptOAEP(t.how.oaep())
}

func decryptOAEP(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptOAEP(t.how.oaep())
}

func encryptPKCS1(t *task) (softkey.Stream, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptPKCS1(), nil
}

func decryptPKCS1(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptPKCS1(), nil
}

func encryptRaw(t *task) (softkey.Stream, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.EncryptRaw(), nil
}

func decryptRaw(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.DecryptRaw(), nil
}

// RSAAESParams is a CK_RSA_AES_KEY_WRAP_PARAMS.
type RSAAESParams struct {
	KeyBits uint
	OAEP    *OAEPParams
}

// rsaAESParams checks the parameter of CKM_RSA_AES_KEY_WRAP.
func rsaAESParams(m *Mechanism) error {
	p, is := m.Params.(*RSAAESParams)
	if !is || p.KeyBits != 128 && p.KeyBits != 192 && p.KeyBits != 256 {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return p.OAEP.check()
}

// rsaAES is the parameter of a mechanism that rsaAESParams has checked.
func (m *Mechanism) rsaAES() softkey.RSAAES {
	p := m.Params.(*RSAAESParams)
	return softkey.RSAAES{OAEP: p.OAEP.oaep(), Size: int(p.KeyBits / 8)}
}

func wrapRSAAES(t *task) (softkey.Stream, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.WrapRSAAES(t.how.rsaAES())
}

func unwrapRSAAES(t *task) (softkey.Stream, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	return k.UnwrapRSAAES(t.how.rsaAES())
}
