// SPDX-License-Identifier: Apache-2.0

package pkcs11

// GenerateKey makes a secret key (section 5.18.1).
func (p *Provider) GenerateKey(h uint, m *Mechanism, list []Attribute) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if m == nil {
		return 0, CKR_ARGUMENTS_BAD
	}
	if e, holds := m.Params.(eraser); holds {
		defer e.eraseSecrets()
	}
	if !s.token.sealsKeys() {
		return 0, CKR_FUNCTION_NOT_SUPPORTED
	}
	row, err := s.token.mechanismFor(m, CKF_GENERATE)
	if err != nil {
		return 0, err
	}
	a, err := s.newSecret(row, list)
	if err != nil {
		return 0, err
	}
	value, err := row.makeKey(m, a)
	if err != nil {
		return 0, err
	}
	defer clear(value)
	a[CKA_VALUE], a[CKA_KEY_GEN_MECHANISM], a[CKA_LOCAL] = value, encodeULong(m.Type), yes
	if err := a.finishSecret(); err != nil {
		return 0, err
	}
	return s.keepObject(a, nil)
}

// newSecret checks the template of a secret key that C_GenerateKey makes.
func (s *session) newSecret(row *mechanism, list []Attribute) (attributes, error) {
	a, err := s.template(list)
	if err != nil {
		return nil, err
	}
	keyType := row.generatedType(a)
	r, err := rulesFor(CKO_SECRET_KEY, keyType)
	if err != nil {
		return nil, err
	}
	if err := r.checkNew(list, a, generating, s.token.user()); err != nil {
		return nil, err
	}
	if err := a.checkKind(CKO_SECRET_KEY, keyType); err != nil {
		return nil, err
	}
	a.addMissing(attributes{CKA_CLASS: encodeULong(CKO_SECRET_KEY), CKA_KEY_TYPE: encodeULong(keyType)})
	a.addMissing(r.initial())
	return a, s.checkWritable(a)
}

// generatedType is the type of the key that a mechanism makes by a template.
func (m *mechanism) generatedType(a attributes) uint {
	if m.generateOf != nil {
		return m.keys.typeOf(a)
	}
	return m.keys.types[0]
}

// finishSecret adds what follows from the value of a secret key that was made here.
func (a attributes) finishSecret() error {
	a[CKA_VALUE_LEN] = encodeULong(uint(len(a[CKA_VALUE])))
	a[CKA_ALWAYS_SENSITIVE] = encodeBool(a.isTrue(CKA_SENSITIVE))
	a[CKA_NEVER_EXTRACTABLE] = encodeBool(!a.isTrue(CKA_EXTRACTABLE))
	return a.completeCheckValue()
}

// typeOf returns the type of key that a template asks for, if keys of the sort have it, or else the first one that they have.
func (k *keySort) typeOf(a attributes) uint {
	if asked := a.number(CKA_KEY_TYPE); k.include(asked) {
		return asked
	}
	return k.types[0]
}

// makeKey makes the value of a key as its template and the parameter want it.
func (m *mechanism) makeKey(how *Mechanism, a attributes) ([]byte, error) {
	if m.generateOf != nil {
		return m.generateOf(how, a)
	}
	return m.generateKey(a)
}
