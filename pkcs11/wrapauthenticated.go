// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"

	"libzk_pkcs11/internal/softkey"
)

// GCMWrapParams is a CK_GCM_WRAP_PARAMS: the parameter by which C_WrapKey and C_UnwrapKey know AES-GCM. IV is the caller's memory,
// into which what is made of it goes.
type GCMWrapParams struct {
	IV        []byte
	FixedBits uint
	Generator uint
	AAD       []byte
	TagBits   uint
}

// gcmWrapping is how AES-GCM wraps a key, or has wrapped it.
type gcmWrapping struct {
	iv    []byte // the caller's
	made  softkey.MessageIV
	plain Mechanism // without a generator
}

func newGCMWrapping(iv []byte, fixedBits, generator uint, aad []byte, tagBits uint) *gcmWrapping {
	w := &gcmWrapping{iv: iv, made: messageIV(iv, fixedBits, generator)}
	w.plain = Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: w.made.IV, AAD: aad, TagBits: tagBits}}
	return w
}

// gcmWrapping returns how a mechanism wraps whose parameter may have the IV be made; nil for every other.
func (m *Mechanism) gcmWrapping() *gcmWrapping {
	if m == nil {
		return nil
	}
	p, is := m.Params.(*GCMWrapParams)
	if !is {
		return nil
	}
	return newGCMWrapping(p.IV, p.FixedBits, p.Generator, p.AAD, p.TagBits)
}

// authenticatedWrapping reads the mechanism of a key that is wrapped with other data. Its parameter is that of a message.
func (m *Mechanism) authenticatedWrapping(aad []byte) (*gcmWrapping, *GCMMessage, error) {
	if m == nil {
		return nil, nil, CKR_ARGUMENTS_BAD
	}
	if row := mechanisms[m.Type]; row == nil || row.messages == nil || !row.wraps() {
		return nil, nil, CKR_MECHANISM_INVALID
	}
	p, _ := m.Params.(*GCMMessage)
	if err := p.checkTag(1); err != nil {
		return nil, nil, err
	}
	return newGCMWrapping(p.IV, p.FixedBits, p.Generator, aad, p.TagBits), p, p.checkTag(clampInt(p.TagBits) / 8)
}

// counts reports whether the IV is to be counted. There is no operation that the count could belong to: each key would be wrapped with the same.
func (w *gcmWrapping) counts() bool {
	return w.made.Generator == softkey.GenerateCounter || w.made.Generator == softkey.GenerateCounterXOR
}

// keyToEncrypt returns what encrypts a key, and what there is to encrypt of it, which the caller overwrites.
func (s *session) keyToEncrypt(w *gcmWrapping, wrapping, key uint) (*softkey.Messages, []byte, error) {
	t, o, err := s.wrapTask(wrapping, key, &w.plain)
	switch {
	case err != nil:
		return nil, nil, err
	case w.counts():
		return nil, nil, CKR_MECHANISM_PARAM_INVALID
	}
	messages, err := t.row.messages(t)
	if err != nil {
		return nil, nil, err
	}
	content, err := s.token.contentToWrap(o, t.row.wrapBlock)
	return messages, content, err
}

// encrypt makes the IV and encrypts a key.
func (w *gcmWrapping) encrypt(messages *softkey.Messages, content []byte) (text, tag []byte, err error) {
	if text, tag, err = messages.Encrypt(nil, w.made, w.plain.gcm(), content); err == nil {
		copy(w.iv, w.made.IV)
	}
	return text, tag, err
}

// wrapByGCM is WrapKey by a parameter that may have the IV be made. The tag is at the end of the wrapped key.
func (s *session) wrapByGCM(w *gcmWrapping, wrapping, key uint, out Output[byte]) error {
	messages, content, err := s.keyToEncrypt(w, wrapping, key)
	if err != nil {
		return err
	}
	defer clear(content)
	if wanted, err := out.isWanted(len(content) + w.plain.gcm().TagBits/8); !wanted {
		return err
	}
	text, tag, err := w.encrypt(messages, content)
	return out.copyUnless(append(text, tag...), err)
}

// WrapKeyAuthenticated is WrapKey with data that are authenticated besides (section 5.18.6). The tag goes into the parameter.
func (p *Provider) WrapKeyAuthenticated(h uint, m *Mechanism, wrapping, key uint, aad []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if !s.token.sealsKeys() {
		return CKR_FUNCTION_NOT_SUPPORTED
	}
	w, parameter, err := m.authenticatedWrapping(aad)
	if err != nil {
		return err
	}
	messages, content, err := s.keyToEncrypt(w, wrapping, key)
	if err != nil {
		return err
	}
	defer clear(content)
	if wanted, err := out.isWanted(len(content)); !wanted {
		return err
	}
	text, tag, err := w.encrypt(messages, content)
	if err == nil {
		copy(parameter.Tag, tag)
	}
	return out.copyUnless(text, err)
}

// UnwrapKeyAuthenticated makes a key of what WrapKeyAuthenticated has made of one (section 5.18.7).
func (p *Provider) UnwrapKeyAuthenticated(h uint, m *Mechanism, unwrapping uint, wrapped []byte, list []Attribute, aad []byte) (handle uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if !s.token.sealsKeys() {
		return 0, CKR_FUNCTION_NOT_SUPPORTED
	}
	w, parameter, err := m.authenticatedWrapping(aad)
	if err != nil {
		return 0, err
	}
	tag := parameter.Tag[:clampInt(parameter.TagBits)/8]
	return s.unwrapKey(&w.plain, unwrapping, slices.Concat(wrapped, tag), list)
}
