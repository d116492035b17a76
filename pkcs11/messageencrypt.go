// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// messageEncryption is an encryption of messages under way.
type messageEncryption struct {
	messageWork
	message *softkey.Sealed // that came in by parts so far
}

// eraseSecrets overwrites what came in.
func (w *messageEncryption) eraseSecrets() {
	if w.message != nil {
		w.message.Erase()
	}
}

// MessageEncryptInit begins to encrypt messages (section 5.9.1); without a mechanism it ends that.
func (p *Provider) MessageEncryptInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.messages.encrypt.end()
		return nil
	}
	if err := s.messages.encrypt.checkIdle(); err != nil {
		return err
	}
	w, err := s.messagesWith(m, key, CKA_ENCRYPT)
	if err != nil {
		return err
	}
	return s.messages.encrypt.begin(&messageEncryption{messageWork: w})
}

// EncryptMessage encrypts a message in one part (section 5.9.2). A message that fails ends by itself.
func (p *Provider) EncryptMessage(h uint, m *GCMMessage, aad, message []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.encrypt.workForMessage()
	if err != nil {
		return err
	}
	iv, g, err := m.parameters(aad)
	if err != nil {
		return err
	}
	if err := m.checkTag(g.TagBits / 8); err != nil {
		return err
	}
	if wanted, err := out.isWanted(len(message)); !wanted {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	text, tag, err := w.messages.Encrypt(nil, iv, g, message)
	if err != nil {
		return err
	}
	copy(m.IV, iv.IV)
	copy(m.Tag, tag)
	out.copyResult(text)
	return nil
}

// EncryptMessageBegin begins a message in parts, and makes its IV (section 5.9.3).
func (p *Provider) EncryptMessageBegin(h uint, m *GCMMessage, aad []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.encrypt.workForMessage()
	if err != nil {
		return err
	}
	iv, g, err := m.parameters(aad)
	if err != nil {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	if w.message, err = w.messages.BeginEncrypt(iv, g); errors.Is(err, softkey.ErrExhausted) {
		return CKR_FUNCTION_FAILED // for which the function has no other code
	}
	if err != nil {
		return err
	}
	copy(m.IV, iv.IV)
	s.messages.encrypt.beginMessage()
	return nil
}

// EncryptMessageNext goes on with a message, and ends it if the flags say so (section 5.9.4). What comes of it comes out at
// the end, with the tag.
func (p *Provider) EncryptMessageNext(h uint, m *GCMMessage, part []byte, out Output[byte], flags uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.encrypt.workInMessage()
	if err != nil {
		return err
	}
	if flags&CKF_END_OF_MESSAGE == 0 {
		return s.messages.encrypt.endMessageOnError(s.encryptPart(w, part, out))
	}
	if wanted, err := out.isWanted(w.message.FinalSize(len(part))); !wanted {
		return s.messages.encrypt.endMessageOnError(err)
	}
	defer s.messages.encrypt.endMessage()
	return s.encryptLast(w, m, part, out)
}

// encryptPart takes a part of a message in. Nothing comes out yet.
func (s *session) encryptPart(w *messageEncryption, part []byte, out Output[byte]) error {
	if wanted, err := out.isWanted(0); !wanted {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return out.copyUnless(nil, w.message.Update(part))
}

// encryptLast takes the last part of a message in, for which there is room, and gives all of it out.
func (s *session) encryptLast(w *messageEncryption, m *GCMMessage, part []byte, out Output[byte]) error {
	if err := m.checkTag(w.message.TagSize()); err != nil {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	if err := w.message.Update(part); err != nil {
		return err
	}
	text, tag, err := w.message.Final(nil)
	if err != nil {
		return err
	}
	copy(m.Tag, tag)
	out.copyResult(text)
	return nil
}

// MessageEncryptFinal ends the encryption of messages (section 5.9.5).
func (p *Provider) MessageEncryptFinal(h uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.messages.encrypt.finishMessages()
}
