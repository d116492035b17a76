// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/softkey"
)

// messageDecryption is a decryption of messages under way.
type messageDecryption struct {
	messageWork
	message *softkey.Opened // that came in by parts so far
	tag     []byte          // that came with its beginning
}

// eraseSecrets overwrites what came in.
func (w *messageDecryption) eraseSecrets() {
	if w.message != nil {
		w.message.Erase()
	}
}

// MessageDecryptInit begins to decrypt messages (section 5.11.1); without a mechanism it ends that.
func (p *Provider) MessageDecryptInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.messages.decrypt.end()
		return nil
	}
	if err := s.messages.decrypt.checkIdle(); err != nil {
		return err
	}
	w, err := s.messagesWith(m, key, CKA_DECRYPT)
	if err != nil {
		return err
	}
	return s.messages.decrypt.begin(&messageDecryption{messageWork: w})
}

// messageToDecrypt returns what decrypts the next message, and the message's parameters.
func (s *session) messageToDecrypt(m *GCMMessage, aad []byte) (*messageDecryption, softkey.GCM, error) {
	w, err := s.messages.decrypt.workForMessage()
	if err != nil {
		return nil, softkey.GCM{}, err
	}
	_, g, err := m.parameters(aad)
	return w, g, err
}

// DecryptMessage decrypts a message in one part (section 5.11.2).
func (p *Provider) DecryptMessage(h uint, m *GCMMessage, aad, text []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, g, err := s.messageToDecrypt(m, aad)
	if err != nil {
		return err
	}
	if wanted, err := out.isWanted(len(text)); !wanted {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	message, err := w.messages.Decrypt(nil, g, text, m.Tag)
	defer clear(message)
	return out.copyUnless(message, messageFailure(err))
}

// messageFailure is the error of a message that is not authentic, or too long.
func messageFailure(err error) error {
	switch {
	case errors.Is(err, softkey.ErrData):
		return CKR_AEAD_DECRYPT_FAILED
	case errors.Is(err, softkey.ErrLength):
		return CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	return err
}

// DecryptMessageBegin begins a message in parts (section 5.11.3).
func (p *Provider) DecryptMessageBegin(h uint, m *GCMMessage, aad []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, g, err := s.messageToDecrypt(m, aad)
	if err != nil {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	if w.message, err = w.messages.BeginDecrypt(g); err != nil {
		return err
	}
	w.tag = bytes.Clone(m.Tag)
	s.messages.decrypt.beginMessage()
	return nil
}

// DecryptMessageNext goes on with a message, and ends it if the flags say so (section 5.11.4). Nothing comes out of it before
// its tag was found right. The tag may come with the beginning of the message, or with its end.
func (p *Provider) DecryptMessageNext(h uint, m *GCMMessage, part []byte, out Output[byte], flags uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.decrypt.workInMessage()
	if err != nil {
		return err
	}
	if flags&CKF_END_OF_MESSAGE == 0 {
		return s.messages.decrypt.endMessageOnError(s.decryptPart(w, part, out))
	}
	if wanted, err := out.isWanted(w.message.FinalSize(len(part))); !wanted {
		return s.messages.decrypt.endMessageOnError(err)
	}
	defer s.messages.decrypt.endMessage()
	return s.decryptLast(w, m, part, out)
}

// decryptPart takes a part of a message in. Nothing comes out yet.
func (s *session) decryptPart(w *messageDecryption, part []byte, out Output[byte]) error {
	if wanted, err := out.isWanted(0); !wanted {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return out.copyUnless(nil, messageFailure(w.message.Update(part)))
}

// decryptLast takes the last part of a message in, for which there is room, and gives all of it out.
func (s *session) decryptLast(w *messageDecryption, m *GCMMessage, part []byte, out Output[byte]) error {
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	if err := w.message.Update(part); err != nil {
		return messageFailure(err)
	}
	tag := w.tag
	if m != nil {
		tag = m.Tag
	}
	message, err := w.message.Final(nil, tag)
	defer clear(message)
	return out.copyUnless(message, messageFailure(err))
}

// MessageDecryptFinal ends the decryption of messages (section 5.11.5).
func (p *Provider) MessageDecryptFinal(h uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.messages.decrypt.finishMessages()
}
