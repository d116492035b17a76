// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

var latticeMechanisms = map[uint]mechanism{
	CKM_ML_DSA_KEY_PAIR_GEN: {keys: mldsaKeys, generatePair: generateSealed, makePair: makeMLDSA},
	CKM_ML_KEM_KEY_PAIR_GEN: {keys: mlkemKeys, generatePair: generateSealed, makePair: makeMLKEM},

	CKM_ML_DSA: {keys: mldsaKeys, sign: signMLDSA, verify: verifyMLDSA, params: mldsaParams},
	CKM_ML_KEM: {keys: mlkemKeys, encapsulate: encapsulateMLKEM, decapsulate: decapsulateMLKEM},
}

// makeMLDSA makes a key pair as the template of the public key wants it.
func makeMLDSA(public attributes) (softkey.PrivateKey, error) {
	set, err := setOf(signatureSets, public)
	if err != nil {
		return nil, err
	}
	return softkey.GenerateMLDSA(set)
}

// makeMLKEM makes a key pair as the template of the public key wants it.
func makeMLKEM(public attributes) (softkey.PrivateKey, error) {
	set, err := setOf(encapsulationSets, public)
	if err != nil {
		return nil, err
	}
	return softkey.GenerateMLKEM(set)
}

// SignContext is a CK_SIGN_ADDITIONAL_CONTEXT.
type SignContext struct {
	Hedge   uint // CKH_
	Context []byte
}

// longestContext is that of FIPS 204.
const longestContext = 255

// mldsaParams checks the parameter of ML-DSA: a context, or none.
func mldsaParams(m *Mechanism) error {
	p, given := m.Params.(*SignContext)
	switch {
	case !given:
		return m.checkNoParameter()
	case p.Hedge > CKH_DETERMINISTIC_REQUIRED, len(p.Context) > longestContext:
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// signContext is the parameter of a mechanism that mldsaParams has checked.
func (m *Mechanism) signContext() SignContext {
	if p, given := m.Params.(*SignContext); given {
		return *p
	}
	return SignContext{Hedge: CKH_HEDGE_PREFERRED}
}

func signMLDSA(t *task) (softkey.Signer, error) {
	k, err := keyOf[*softkey.MLDSA](t)
	if err != nil {
		return nil, err
	}
	p := t.how.signContext()
	if p.Hedge == CKH_DETERMINISTIC_REQUIRED {
		return k.SignDeterministic(p.Context)
	}
	return k.SignHedged(p.Context)
}

func verifyMLDSA(t *task) (softkey.Verifier, error) {
	k, err := publicOf[*softkey.MLDSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.Verify(t.how.signContext().Context)
}

func encapsulateMLKEM(t *task) (*encapsulation, error) {
	k, err := publicOf[*softkey.MLKEMPublic](t)
	if err != nil {
		return nil, err
	}
	return &encapsulation{size: k.Set().CiphertextSize(), make: k.Encapsulate}, nil
}

func decapsulateMLKEM(t *task, ciphertext []byte) ([]byte, error) {
	k, err := keyOf[*softkey.MLKEM](t)
	if err != nil {
		return nil, err
	}
	return k.Decapsulate(ciphertext)
}
