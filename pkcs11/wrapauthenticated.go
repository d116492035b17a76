// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"

	"libzk_pkcs11/internal/softkey"
)

// GCMWrapParams is a CK_GCM_WRAP_PARAMS. IV is the caller's memory, into which what is made of it goes.
type GCMWrapParams struct {
	IV        []byte
	FixedBits uint
	Generator uint
	AAD       []byte
	TagBits   uint
}

// authenticatedWrapping is a mechanism by which a key is wrapped together with data that are not encrypted.
type authenticatedWrapping struct {
	params GCMWrapParams
	plain  Mechanism // without a generator
}

// authenticated reads the parameter of a mechanism. Other data are an argument of the call, or in the parameter.
func (m *Mechanism) authenticated(aad []byte) (*authenticatedWrapping, error) {
	if m == nil {
		return nil, CKR_ARGUMENTS_BAD
	}
	if row := mechanisms[m.Type]; row == nil || row.messages == nil || !row.wraps() {
		return nil, CKR_MECHANISM_INVALID
	}
	var w authenticatedWrapping
	switch p := m.Params.(type) {
	case *GCMWrapParams:
		w.params = *p
	case *GCMParams:
		w.params = GCMWrapParams{IV: p.IV, AAD: p.AAD, TagBits: p.TagBits}
	default:
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	if len(aad) > 0 && len(w.params.AAD) > 0 && !bytes.Equal(aad, w.params.AAD) {
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	if len(aad) > 0 {
		w.params.AAD = aad
	}
	w.plain = Mechanism{Type: m.Type, Params: &GCMParams{IV: bytes.Clone(w.params.IV), AAD: w.params.AAD, TagBits: w.params.TagBits}}
	return &w, nil
}

// WrapKeyAuthenticated is WrapKey with data that are authenticated besides (section 5.18.6 of PKCS#11 3.2).
func (p *Provider) WrapKeyAuthenticated(h uint, m *Mechanism, wrapping, key uint, aad []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if !s.token.sealsKeys() {
		return CKR_FUNCTION_NOT_SUPPORTED
	}
	w, err := m.authenticated(aad)
	if err != nil {
		return err
	}
	t, o, err := s.wrapTask(wrapping, key, &w.plain)
	if err != nil {
		return err
	}
	messages, err := t.row.messages(t)
	if err != nil {
		return err
	}
	content, err := s.token.contentToWrap(o, t.row.wrapBlock)
	if err != nil {
		return err
	}
	defer clear(content)
	if wanted, err := out.isWanted(len(content) + clampInt(w.params.TagBits)/8); !wanted {
		return err
	}
	return w.wrapContent(messages, content, out)
}

// wrapContent makes the IV and encrypts the key, with the tag at its end.
func (w *authenticatedWrapping) wrapContent(messages *softkey.Messages, content []byte, out Output[byte]) error {
	iv := softkey.MessageIV{IV: bytes.Clone(w.params.IV), FixedBits: clampInt(w.params.FixedBits), Generator: softkey.Generator(clampInt(w.params.Generator))}
	text, tag, err := messages.Encrypt(nil, iv, w.plain.gcm(), content)
	if err != nil {
		return err
	}
	copy(w.params.IV, iv.IV)
	out.copyResult(append(text, tag...))
	return nil
}

// UnwrapKeyAuthenticated makes a key of what WrapKeyAuthenticated has made of one (section 5.18.7 of PKCS#11 3.2).
func (p *Provider) UnwrapKeyAuthenticated(h uint, m *Mechanism, unwrapping uint, wrapped []byte, list []Attribute, aad []byte) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if !s.token.sealsKeys() {
		return 0, CKR_FUNCTION_NOT_SUPPORTED
	}
	w, err := m.authenticated(aad)
	if err != nil {
		return 0, err
	}
	return s.unwrapKey(&w.plain, unwrapping, wrapped, list)
}
