// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto"
	"math"

	"libzk_pkcs11/internal/softkey"
)

// masks are the hashes of MGF1, by their CKG_.
var masks = map[uint]crypto.Hash{
	CKG_MGF1_SHA1: crypto.SHA1, CKG_MGF1_SHA224: crypto.SHA224, CKG_MGF1_SHA256: crypto.SHA256, CKG_MGF1_SHA384: crypto.SHA384,
	CKG_MGF1_SHA512: crypto.SHA512, CKG_MGF1_SHA3_224: crypto.SHA3_224, CKG_MGF1_SHA3_256: crypto.SHA3_256,
	CKG_MGF1_SHA3_384: crypto.SHA3_384, CKG_MGF1_SHA3_512: crypto.SHA3_512,
}

// hashOf returns the hash of a mechanism that digests, 0 for every other.
func hashOf(typ uint) crypto.Hash { return hashMechanisms[typ].hash }

// pss reads a CK_RSA_PKCS_PSS_PARAMS, which is three numbers.
func (m *Mechanism) pss() (p softkey.PSS, err error) {
	var n [3]uint
	if len(m.Parameter) != len(n)*ulongSize || m.Params != nil {
		return p, CKR_MECHANISM_PARAM_INVALID
	}
	for i := range n {
		n[i], _ = decodeULong(m.Parameter[i*ulongSize:][:ulongSize])
	}
	p = softkey.PSS{Hash: hashOf(n[0]), MGF: masks[n[1]], Salt: int(min(n[2], math.MaxInt32))}
	if p.Hash == 0 || p.MGF == 0 {
		return p, CKR_MECHANISM_PARAM_INVALID
	}
	return p, nil
}

// pssParams checks the form of the parameter of a signature by PSS.
func pssParams(m *Mechanism) error {
	_, err := m.pss()
	return err
}

// pss reads the parameter of a task. Its hash is that of the mechanism, if this has one.
func (t *task) pss() (softkey.PSS, error) {
	p, err := t.how.pss()
	if err == nil && t.row.hash != 0 && t.row.hash != p.Hash {
		err = CKR_MECHANISM_PARAM_INVALID
	}
	return p, err
}

// signPSS begins a signature by PSS of a message.
func signPSS(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	p, err := t.pss()
	if err != nil {
		return nil, err
	}
	return k.SignPSS(p)
}

// signDigestPSS begins a signature by PSS of a hash.
func signDigestPSS(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.RSA](t)
	if err != nil {
		return nil, err
	}
	p, err := t.pss()
	if err != nil {
		return nil, err
	}
	return k.SignDigestPSS(p)
}

// verifyPSS begins a verification by PSS of a message.
func verifyPSS(t *task) (softkey.Verifier, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	p, err := t.pss()
	if err != nil {
		return nil, err
	}
	return k.VerifyPSS(p)
}

// verifyDigestPSS begins a verification by PSS of a hash.
func verifyDigestPSS(t *task) (softkey.Verifier, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	p, err := t.pss()
	if err != nil {
		return nil, err
	}
	return k.VerifyDigestPSS(p)
}
