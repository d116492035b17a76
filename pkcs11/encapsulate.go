// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// encapsulation is what gives a new secret to the owner of a public key.
type encapsulation struct {
	size int // of the encapsulated secret
	make func() (secret, ciphertext []byte)
}

// EncapsulateKey makes a secret key and encrypts it for the owner of a public key (section 5.18.8).
func (p *Provider) EncapsulateKey(h uint, m *Mechanism, public uint, list []Attribute, out Output[byte]) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	d, err := s.encapsulationTask(m, public, encapsulating)
	if err != nil {
		return 0, err
	}
	e, err := d.row.encapsulate(&d.task)
	if err != nil {
		return 0, err
	}
	a, err := s.derived(list, d)
	if err != nil {
		return 0, err
	}
	if wanted, err := out.isWanted(e.size); !wanted {
		return 0, err
	}
	secret, ciphertext := e.make()
	defer clear(secret)
	out.copyResult(ciphertext) // before there is a key: the caller's memory may be none
	return s.keepShared(a, secret)
}

// DecapsulateKey makes the secret key that another one has encapsulated (section 5.18.9).
func (p *Provider) DecapsulateKey(h uint, m *Mechanism, private uint, list []Attribute, ciphertext []byte) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	d, err := s.encapsulationTask(m, private, decapsulating)
	if err != nil {
		return 0, unwrappingKeys.failure(err) // which has the codes of C_UnwrapKey
	}
	if err := s.checkAuthenticated(private, d.key); err != nil {
		return 0, err
	}
	a, err := s.derived(list, d)
	if err != nil {
		return 0, err
	}
	secret, err := d.row.decapsulate(&d.task, ciphertext)
	if errors.Is(err, softkey.ErrLength) {
		return 0, CKR_WRAPPED_KEY_LEN_RANGE
	}
	if err != nil {
		return 0, err
	}
	defer clear(secret)
	return s.keepShared(a, secret)
}

// encapsulationUse is what the key of an encapsulation, or of the way back, has to be.
type encapsulationUse struct{ flag, attribute, class, demands uint }

var (
	encapsulating = encapsulationUse{CKF_ENCAPSULATE, CKA_ENCAPSULATE, CKO_PUBLIC_KEY, CKA_ENCAPSULATE_TEMPLATE}
	decapsulating = encapsulationUse{CKF_DECAPSULATE, CKA_DECAPSULATE, CKO_PRIVATE_KEY, CKA_DECAPSULATE_TEMPLATE}
)

// encapsulationTask finds the key of an encapsulation.
func (s *session) encapsulationTask(m *Mechanism, key uint, use encapsulationUse) (*derivative, error) {
	if !s.token.sealsKeys() {
		return nil, CKR_FUNCTION_NOT_SUPPORTED
	}
	if m == nil {
		return nil, CKR_ARGUMENTS_BAD
	}
	row, err := s.token.mechanismFor(m, use.flag)
	if err != nil {
		return nil, err
	}
	o, err := s.keyFor(key, use.class, use.attribute, m, row)
	if err != nil {
		return nil, err
	}
	return &derivative{task: task{token: s.token, key: o, how: m, row: row}, demands: use.demands}, nil
}

// keepShared keeps the first bytes of a shared secret as a key, as many as its template wants.
func (s *session) keepShared(a attributes, secret []byte) (uint, error) {
	n := a.derivedSize()
	if n == 0 {
		n = len(secret)
	}
	if n > len(secret) || a.number(CKA_KEY_TYPE) == CKK_AES && n != 16 && n != 24 && n != 32 {
		return 0, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_VALUE_LEN, "is no length that the key can have")
	}
	a[CKA_VALUE], a[CKA_VALUE_LEN] = secret[:n], encodeULong(uint(n))
	a[CKA_ALWAYS_SENSITIVE], a[CKA_NEVER_EXTRACTABLE] = no, no
	if err := a.completeCheckValue(); err != nil {
		return 0, err
	}
	return s.keepObject(a, nil)
}
