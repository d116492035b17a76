// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/secret"
	"libzk_pkcs11/internal/softkey"
)

// WrapKey encrypts a key with another one (section 5.18.3).
func (p *Provider) WrapKey(h uint, m *Mechanism, wrapping, key uint, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if w := m.gcmWrapping(); w != nil {
		return s.wrapByGCM(w, wrapping, key, out)
	}
	t, o, err := s.wrapTask(wrapping, key, m)
	if err != nil {
		return err
	}
	stream, err := t.row.encrypt(t)
	if err != nil {
		return err
	}
	content, err := s.token.contentToWrap(o, t.row.wrapBlock)
	if err != nil {
		return err
	}
	defer clear(content)
	if wanted, err := out.isWanted(stream.WholeSize(len(content))); !wanted {
		return err
	}
	wrapped, err := stream.Whole(nil, content)
	if errors.Is(err, softkey.ErrLength) {
		return CKR_KEY_SIZE_RANGE
	}
	return out.copyUnless(wrapped, err)
}

// wrapTask returns what a key that wraps has to do, and the key that it wraps.
func (s *session) wrapTask(wrapping, key uint, m *Mechanism) (*task, *object, error) {
	t, err := s.wrappingTask(wrapping, wrappingKeys, m)
	if err != nil {
		return nil, nil, err
	}
	o, err := s.keyToWrap(key, t.key)
	return t, o, err
}

// wrappingUse is what a key that wraps, or one that unwraps, has to be.
type wrappingUse struct {
	flag, attribute   uint
	class             uint // unless it is a secret key
	noHandle, badType Error
}

var (
	wrappingKeys = &wrappingUse{CKF_WRAP, CKA_WRAP, CKO_PUBLIC_KEY,
		CKR_WRAPPING_KEY_HANDLE_INVALID, CKR_WRAPPING_KEY_TYPE_INCONSISTENT}
	unwrappingKeys = &wrappingUse{CKF_UNWRAP, CKA_UNWRAP, CKO_PRIVATE_KEY,
		CKR_UNWRAPPING_KEY_HANDLE_INVALID, CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT}
)

// wrappingTask finds the key that wraps or unwraps.
func (s *session) wrappingTask(key uint, use *wrappingUse, m *Mechanism) (*task, error) {
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
	class := use.class
	if row.keys.secret {
		class = CKO_SECRET_KEY
	}
	o, err := s.keyFor(key, class, use.attribute, m, row)
	if err != nil {
		return nil, use.failure(err)
	}
	return &task{token: s.token, key: o, how: m, row: row}, s.checkAuthenticated(key, o)
}

// failure is the error of a key that is not what it has to be.
func (u *wrappingUse) failure(err error) error {
	switch err {
	case error(CKR_KEY_HANDLE_INVALID):
		return u.noHandle
	case error(CKR_KEY_TYPE_INCONSISTENT):
		return u.badType
	}
	return err
}

// keyToWrap finds a key that a wrapping key may wrap.
func (s *session) keyToWrap(key uint, wrapping *object) (*object, error) {
	o, err := s.findKey(key)
	switch {
	case err != nil:
		return nil, err
	case !o.hasSecretKey():
		return nil, CKR_KEY_NOT_WRAPPABLE
	case !o.attrs.isTrue(CKA_EXTRACTABLE):
		return nil, CKR_KEY_UNEXTRACTABLE
	case !o.isSealed(), o.attrs.isTrue(CKA_WRAP_WITH_TRUSTED) && !wrapping.attrs.isTrue(CKA_TRUSTED):
		return nil, CKR_KEY_NOT_WRAPPABLE
	}
	required, err := wrapping.nestedTemplate(CKA_WRAP_TEMPLATE)
	if err != nil {
		return nil, err
	}
	if !o.matches(required) { // as in a search
		return nil, CKR_KEY_HANDLE_INVALID
	}
	return o, nil
}

// contentToWrap is what is encrypted of a key: the value of a secret key, the PrivateKeyInfo of a private one, with zeros up
// to a multiple of a block. The caller overwrites it.
func (t *token) contentToWrap(o *object, block int) ([]byte, error) {
	whole, err := t.withValue(o)
	if err != nil {
		return nil, err
	}
	defer o.eraseValueOf(whole)
	value := whole.attrs[whole.attrs.valueType()]
	content := secret.Make((len(value) + block - 1) / block * block)
	copy(content, value)
	return content, nil
}
