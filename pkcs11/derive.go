// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// ECDH1Params is a CK_ECDH1_DERIVE_PARAMS.
type ECDH1Params struct {
	KDF        uint
	SharedData []byte
	Public     []byte // of the other party
}

// ecdhParams checks the parameter of CKM_ECDH1_DERIVE.
func ecdhParams(m *Mechanism) error {
	p, ok := m.Params.(*ECDH1Params)
	if !ok || len(p.Public) == 0 {
		return CKR_MECHANISM_PARAM_INVALID
	}
	if _, known := agreementHashes[p.KDF]; !known || p.KDF == CKD_NULL && len(p.SharedData) > 0 {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

// agreementHashes are those of the key derivation functions of ANSI X9.63.
var agreementHashes = map[uint]crypto.Hash{
	CKD_NULL:         0,
	CKD_SHA1_KDF:     crypto.SHA1,
	CKD_SHA224_KDF:   crypto.SHA224,
	CKD_SHA256_KDF:   crypto.SHA256,
	CKD_SHA384_KDF:   crypto.SHA384,
	CKD_SHA512_KDF:   crypto.SHA512,
	CKD_SHA3_224_KDF: crypto.SHA3_224,
	CKD_SHA3_256_KDF: crypto.SHA3_256,
	CKD_SHA3_384_KDF: crypto.SHA3_384,
	CKD_SHA3_512_KDF: crypto.SHA3_512,
}

// checkAgreement returns an error for what devices alone do not do: a function of the secret on which they have agreed.
func (t *token) checkAgreement(m *Mechanism) error {
	if p, agrees := m.Params.(*ECDH1Params); agrees && p.KDF != CKD_NULL && !t.sealsKeys() {
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
	if err := s.token.checkAgreement(m); err != nil {
		return 0, err
	}
	o, err := s.keyFor(base, row.baseClass(), CKA_DERIVE, m, row)
	if err != nil {
		return 0, err
	}
	if err := s.checkAuthenticated(base, o); err != nil {
		return 0, err
	}
	d := &derivative{task: task{token: s.token, key: o, how: m, row: row}, demands: CKA_DERIVE_TEMPLATE}
	if err := s.findOther(d); err != nil {
		return 0, err
	}
	a, err := s.derived(list, d)
	if err != nil {
		return 0, err
	}
	a[CKA_VALUE], err = row.derive(&d.task, a)
	defer d.eraseSecret(a)
	if err != nil {
		return 0, derivingFailure(err)
	}
	if err := d.finish(a); err != nil {
		return 0, err
	}
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

// deriveECDH is CKM_ECDH1_DERIVE: the shared secret, without its leading bytes
// when the template asks for fewer, or what a function makes of it.
func deriveECDH(t *task, a attributes) ([]byte, error) {
	p := t.how.Params.(*ECDH1Params)
	how := softkey.Agreement{Peer: p.Public, KDF: agreementHashes[p.KDF], Info: p.SharedData}
	if k := t.key.heldKey(); k != nil {
		agreed, err := k.agree(t.token, p.Public)
		if err != nil {
			return nil, err
		}
		return how.Finish(agreed, a.derivedSize())
	}
	k, err := keyOf[agreer](t)
	if err != nil {
		return nil, err
	}
	agreed, err := k.Agree(how, a.derivedSize())
	if errors.Is(err, softkey.ErrKey) {
		return nil, CKR_PUBLIC_KEY_INVALID
	}
	return agreed, err
}

// agreer is a sealed key that agrees on secrets.
type agreer interface {
	Agree(a softkey.Agreement, n int) ([]byte, error)
}

// agreeTries is how often the device is asked for a secret while its slot changes. Others may change it that
// often for a moment, and not for ever. A device without stamps of its slots seems to change whenever it is looked at.
const agreeTries = 10

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
	var before []byte
	defer func() { clear(before) }()
	for range agreeTries {
		agreed, steady, err := k.agreeOnce(t, agreer, peer)
		if err != nil || steady || before != nil && bytes.Equal(agreed, before) {
			return agreed, err
		}
		clear(before)
		before = agreed // nothing tells that it is of this key, unless it comes again
	}
	return nil, CKR_FUNCTION_FAILED
}

// agreeOnce reports also whether the key was in its slot all the time.
func (k *heldKey) agreeOnce(t *token, agreer scm.Agreer, peer []byte) (agreed []byte, steady bool, err error) {
	seen := k.held.Load()
	agreed, err = agreer.Agree(k.Slot, peer)
	steady = t.slotStamp(k.Slot) == seen
	if lost := t.checkStillHeld(k); lost != nil {
		clear(agreed)
		return nil, false, lost
	}
	if errors.Is(err, scm.ErrInput) {
		return nil, false, CKR_PUBLIC_KEY_INVALID // a point of small order
	}
	return agreed, steady, err
}
