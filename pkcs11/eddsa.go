// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// EdDSAParams is a CK_EDDSA_PARAMS.
type EdDSAParams struct {
	Prehash bool // Ed25519ph
	Context []byte
}

// eddsaParams checks the parameter of CKM_EDDSA: none is that of Ed25519 itself.
func eddsaParams(m *Mechanism) error {
	p, given := m.Params.(*EdDSAParams)
	switch {
	case !given:
		return m.checkNoParameter()
	case len(p.Context) > longestContext:
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// eddsa is the parameter of a mechanism that eddsaParams has checked. One that wants neither the hash nor a context says the same as none.
func (m *Mechanism) eddsa() softkey.EdDSA {
	if p, given := m.Params.(*EdDSAParams); given {
		return softkey.EdDSA{Prehash: p.Prehash, Context: p.Context}
	}
	return softkey.EdDSA{}
}

// isPure reports whether a signature of CKM_EDDSA is one of Ed25519 itself. No SCM has another one.
func (m *Mechanism) isPure() bool {
	p := m.eddsa()
	return !p.Prehash && len(p.Context) == 0
}

// verifyVariant begins the verification of Ed25519ph or Ed25519ctx.
func (t *task) verifyVariant(public []byte) (softkey.Verifier, error) {
	if !t.token.sealsKeys() {
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	k, err := softkey.NewEdwardsPublic(public)
	if err != nil {
		return nil, err
	}
	return k.Verify(t.how.eddsa())
}
