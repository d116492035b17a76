// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

// EdDSAParams is a CK_EDDSA_PARAMS.
type EdDSAParams struct {
	Prehash bool // Ed25519ph
	Context []byte
}

// ECDH1Params is a CK_ECDH1_DERIVE_PARAMS.
type ECDH1Params struct {
	KDF        uint
	SharedData []byte
	Public     []byte // of the other party
}

// pureEdDSA checks the parameter of CKM_EDDSA: none, or one that says the same,
// that neither the prehash nor a context is wanted. The SCM has neither.
func pureEdDSA(m *Mechanism) error {
	p, ok := m.Params.(*EdDSAParams)
	if ok && !p.Prehash && len(p.Context) == 0 {
		return nil
	}
	return m.checkNoParameter()
}

// ecdhParams checks the parameter of CKM_ECDH1_DERIVE.
func ecdhParams(m *Mechanism) error {
	p, ok := m.Params.(*ECDH1Params)
	if !ok || p.KDF != CKD_NULL || len(p.SharedData) > 0 || len(p.Public) == 0 {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// DeriveKey makes a secret key of another key (section 5.18.5).
func (p *Provider) DeriveKey(h uint, m *Mechanism, base uint, list []Attribute) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if m == nil {
		return 0, CKR_ARGUMENTS_BAD
	}
	row, err := s.token.mechanismFor(m, CKF_DERIVE)
	if err != nil {
		return 0, err
	}
	o, err := s.keyFor(base, CKO_PRIVATE_KEY, CKA_DERIVE, m, &row)
	if err != nil {
		return 0, err
	}
	if err := s.checkAuthenticated(base, o); err != nil {
		return 0, err
	}
	a, err := s.derived(list)
	if err != nil {
		return 0, err
	}
	a[CKA_VALUE], err = row.derive(&task{s.token, o, m, &row}, a)
	defer clear(a[CKA_VALUE])
	if err != nil {
		return 0, err
	}
	if err := a.completeCheckValue(); err != nil {
		return 0, err
	}
	a[CKA_ALWAYS_SENSITIVE] = encodeBool(o.attrs.isTrue(CKA_ALWAYS_SENSITIVE) && a.isTrue(CKA_SENSITIVE))
	a[CKA_NEVER_EXTRACTABLE] = encodeBool(o.attrs.isTrue(CKA_NEVER_EXTRACTABLE) && !a.isTrue(CKA_EXTRACTABLE))
	return s.keepObject(a, nil)
}

// derivation is the use of a key with CKA_ALWAYS_AUTHENTICATE by C_DeriveKey or C_UnwrapKey. No call
// begins it, so the first one does: it is refused, and a context-specific login
// then allows the next one in the session that is of the same key.
type derivation struct {
	key           uint
	era           uint // of private objects
	authenticated bool
}

// checkAuthenticated returns an error unless a key may be used, as far as it wants a login of its own.
func (s *session) checkAuthenticated(key uint, o *object) error {
	began, era := s.derive, s.token.names.currentEras().private
	s.derive = nil
	if !o.alwaysAuthenticate() || began != nil && *began == (derivation{key, era, true}) {
		return nil
	}
	s.derive = &derivation{key: key, era: era}
	return CKR_USER_NOT_LOGGED_IN
}

// derived checks the template of a derived key, which is a generic secret.
func (s *session) derived(list []Attribute) (attributes, error) {
	a, err := template(list)
	if err != nil {
		return nil, err
	}
	if err := secretObject.checkNew(list, a, deriving, s.token.user()); err != nil {
		return nil, err
	}
	if err := a.checkKind(CKO_SECRET_KEY, CKK_GENERIC_SECRET); err != nil {
		return nil, err
	}
	a.addMissing(attributes{CKA_CLASS: encodeULong(CKO_SECRET_KEY), CKA_KEY_TYPE: encodeULong(CKK_GENERIC_SECRET)})
	a.addMissing(secretObject.initial())
	return a, s.checkWritable(a)
}

// deriveECDH is CKM_ECDH1_DERIVE: the shared secret, without its leading bytes
// when the template asks for fewer.
func deriveECDH(t *task, a attributes) ([]byte, error) {
	agreed, err := t.key.heldKey().agree(t.token, t.how.Params.(*ECDH1Params).Public)
	if err != nil {
		return nil, err
	}
	n := uint(len(agreed))
	if _, given := a[CKA_VALUE_LEN]; given {
		n = a.number(CKA_VALUE_LEN)
	}
	if n == 0 || n > uint(len(agreed)) {
		clear(agreed)
		return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE_LEN, "is not from 1 to the length of the secret")
	}
	a[CKA_VALUE_LEN] = encodeULong(n)
	cut := uint(len(agreed)) - n
	clear(agreed[:cut])
	return agreed[cut:], nil
}

// agree has the device agree on a secret with the point of another party.
func (k *heldKey) agree(t *token, point []byte) ([]byte, error) {
	agreer, can := t.device.(scm.Agreer)
	if !can {
		return nil, CKR_MECHANISM_INVALID
	}
	peer, err := curves[k.Curve].publicOf(point)
	if err != nil {
		return nil, CKR_PUBLIC_KEY_INVALID
	}
	agreed, err := agreer.Agree(k.Slot, peer)
	if lost := t.checkStillHeld(k); lost != nil {
		clear(agreed)
		return nil, lost
	}
	if errors.Is(err, scm.ErrInput) {
		return nil, CKR_PUBLIC_KEY_INVALID // a point of small order
	}
	return agreed, err
}
