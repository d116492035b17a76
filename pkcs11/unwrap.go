// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/aes"
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// UnwrapKey makes a key of what WrapKey has made of one (section 5.18.4).
func (p *Provider) UnwrapKey(h uint, m *Mechanism, unwrapping uint, wrapped []byte, list []Attribute) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if w := m.gcmWrapping(); w != nil {
		m = &w.plain
	}
	return s.unwrapKey(m, unwrapping, wrapped, list)
}

// unwrapKey makes a key of one that was wrapped.
func (s *session) unwrapKey(m *Mechanism, unwrapping uint, wrapped []byte, list []Attribute) (uint, error) {
	t, err := s.wrappingTask(unwrapping, unwrappingKeys, m)
	if err != nil {
		return 0, err
	}
	a, err := s.unwrappedTemplate(list, t.key)
	if err != nil {
		return 0, err
	}
	content, err := t.unwrapContent(wrapped, a)
	if err != nil {
		return 0, err
	}
	defer clear(content)
	defer a.erasePrivate()
	if err := a.holdUnwrapped(content, t.row.wrapBlock); err != nil {
		return 0, err
	}
	return s.keepObject(a, nil)
}

// unwrappedTemplate checks the template of a key that is unwrapped, with what the unwrapping key demands of it.
func (s *session) unwrappedTemplate(list []Attribute, unwrapping *object) (attributes, error) {
	list, a, err := s.joinedTemplate(list, unwrapping, CKA_UNWRAP_TEMPLATE)
	if err != nil {
		return nil, err
	}
	for _, typ := range []uint{CKA_CLASS, CKA_KEY_TYPE} {
		if _, given := a[typ]; !given {
			return nil, refuse(CKR_TEMPLATE_INCOMPLETE, typ, "is missing")
		}
	}
	if class := a.number(CKA_CLASS); class != CKO_SECRET_KEY && class != CKO_PRIVATE_KEY {
		return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_CLASS, "is that of no key that can be unwrapped")
	}
	r, err := rulesFor(a.number(CKA_CLASS), a.number(CKA_KEY_TYPE))
	if err != nil {
		return nil, because(err, CKA_KEY_TYPE, "is one of which the token has no such keys")
	}
	if err := r.checkNew(list, a, unwrappedNew, s.token.user()); err != nil {
		return nil, err
	}
	a.addMissing(attributes{CKA_EXTRACTABLE: yes})
	a.addMissing(r.initial())
	if err := a.checkSealable(); a.number(CKA_CLASS) == CKO_PRIVATE_KEY && err != nil {
		return nil, err
	}
	a[CKA_LOCAL], a[CKA_ALWAYS_SENSITIVE], a[CKA_NEVER_EXTRACTABLE] = no, no, no
	return a, s.checkWritable(a)
}

// unwrapContent decrypts a wrapped key. Of a secret key that RSA encrypts by PKCS #1 v1.5 one of a length that it can have comes out in
// any case: nobody is to learn whether the padding was right.
func (t *task) unwrapContent(wrapped []byte, a attributes) (content []byte, err error) {
	if t.how.Type == CKM_RSA_PKCS && a.number(CKA_CLASS) == CKO_SECRET_KEY {
		var k *softkey.RSA
		if k, err = keyOf[*softkey.RSA](t); err == nil {
			content, err = k.UnwrapPKCS1(wrapped, a.possibleLengths(k.LongestPKCS1())...)
		}
		return content, unwrappingFailure(err)
	}
	stream, err := t.row.decrypt(t)
	if err != nil {
		return nil, err
	}
	content, err = stream.Whole(nil, wrapped)
	return content, unwrappingFailure(err)
}

// possibleLengths are those of a secret key that is unwrapped: what its template says, what its type has, or all up to a bound.
func (a attributes) possibleLengths(most int) []int {
	if _, given := a[CKA_VALUE_LEN]; given {
		return []int{clampInt(a.number(CKA_VALUE_LEN))}
	}
	if a.number(CKA_KEY_TYPE) == CKK_AES {
		return []int{16, 24, 32}
	}
	all := make([]int, most)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// unwrappingFailure is the error of a wrapped key, for which there are codes of its own.
func unwrappingFailure(err error) error {
	switch {
	case errors.Is(err, softkey.ErrLength), errors.Is(err, softkey.ErrKeySize):
		return CKR_WRAPPED_KEY_LEN_RANGE
	case errors.Is(err, softkey.ErrData), errors.Is(err, softkey.ErrKey), errors.Is(err, softkey.ErrUnsupported):
		return CKR_WRAPPED_KEY_INVALID
	}
	return err
}

// holdUnwrapped puts a key that was unwrapped into the attributes of its object.
func (a attributes) holdUnwrapped(content []byte, block int) error {
	if a.number(CKA_CLASS) == CKO_PRIVATE_KEY {
		return a.holdUnwrappedPrivate(content, block)
	}
	n := uint(len(content))
	if _, given := a[CKA_VALUE_LEN]; given {
		n = a.number(CKA_VALUE_LEN)
	} else if a.mayBeShorter(content, block) {
		return refuse(CKR_TEMPLATE_INCOMPLETE, CKA_VALUE_LEN, "is missing, and the mechanism pads keys with zeros")
	}
	if n == 0 || n > softkey.LongestSecret || n > uint(len(content)) || uint(len(content))-n >= uint(block) || !isZero(content[n:]) {
		return CKR_WRAPPED_KEY_LEN_RANGE
	}
	if a.number(CKA_KEY_TYPE) == CKK_AES && n != 16 && n != 24 && n != 32 {
		return CKR_WRAPPED_KEY_LEN_RANGE
	}
	a[CKA_VALUE], a[CKA_VALUE_LEN] = content[:n], encodeULong(n)
	return a.completeCheckValue()
}

// mayBeShorter reports whether the length of a key does not follow from what was unwrapped. CKM_AES_KEY_WRAP, whose blocks are
// half as long, does without CKA_VALUE_LEN all the same (section 6.16.3).
func (a attributes) mayBeShorter(content []byte, block int) bool {
	switch {
	case block < aes.BlockSize:
		return false
	case a.number(CKA_KEY_TYPE) == CKK_AES:
		return len(content) == 32 && isZero(content[24:]) // most likely a key of 24 bytes
	}
	return true
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func (a attributes) holdUnwrappedPrivate(content []byte, block int) error {
	if block > 1 {
		content = softkey.TrimPrivate(content)
	}
	k, err := softkey.ParsePrivate(content)
	if err != nil {
		return unwrappingFailure(err)
	}
	if typeOfPrivate(k) != a.number(CKA_KEY_TYPE) {
		return CKR_WRAPPED_KEY_INVALID
	}
	return a.holdPrivate(k)
}

// typeOfPrivate is the CKA_KEY_TYPE of a private key.
func typeOfPrivate(k softkey.PrivateKey) uint {
	switch k := k.(type) {
	case *softkey.RSA:
		return CKK_RSA
	case *softkey.MLDSA:
		return CKK_ML_DSA
	case *softkey.MLKEM:
		return CKK_ML_KEM
	case interface{ Curve() softkey.Curve }:
		return curveType(k.Curve())
	}
	return CK_UNAVAILABLE_INFORMATION
}
