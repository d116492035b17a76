// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"math"

	"libzk_pkcs11/internal/softkey"
)

// messageOperations are those operations of a session in which one message follows another: what C_MessageEncryptInit
// and its kin begin.
type messageOperations struct {
	encrypt operation[messageEncryption]
	decrypt operation[messageDecryption]
	sign    operation[messageSigning]
	verify  operation[messageVerification]
}

// messageFlags are those of the operations of messages.
const messageFlags = CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY

// cancel ends the operations that the flags name.
func (m *messageOperations) cancel(flags uint) {
	if flags&CKF_MESSAGE_ENCRYPT != 0 {
		m.encrypt.end()
	}
	if flags&CKF_MESSAGE_DECRYPT != 0 {
		m.decrypt.end()
	}
	if flags&CKF_MESSAGE_SIGN != 0 {
		m.sign.end()
	}
	if flags&CKF_MESSAGE_VERIFY != 0 {
		m.verify.end()
	}
}

// uses are those of the operations under way, by their flags.
func (m *messageOperations) uses() map[uint]*use {
	all := map[uint]*use{}
	if w := m.encrypt.work; w != nil {
		all[CKF_MESSAGE_ENCRYPT] = &w.use
	}
	if w := m.decrypt.work; w != nil {
		all[CKF_MESSAGE_DECRYPT] = &w.use
	}
	if w := m.sign.work; w != nil {
		all[CKF_MESSAGE_SIGN] = &w.use
	}
	if w := m.verify.work; w != nil {
		all[CKF_MESSAGE_VERIFY] = &w.use
	}
	return all
}

// isActive reports whether one of the operations is under way.
func (m *messageOperations) isActive() bool {
	return m.encrypt.work != nil || m.decrypt.work != nil || m.sign.work != nil || m.verify.work != nil
}

// endSealed ends the operations that hold a sealed key of a user, and reports whether there are any.
func (m *messageOperations) endSealed() (any bool) {
	if !m.isActive() {
		return false
	}
	for flag, u := range m.uses() {
		if u.isPrivateSealed() {
			m.cancel(flag)
			any = true
		}
	}
	return any
}

// messageMechanism finds the mechanism of an operation that encrypts or decrypts messages. What varies comes with each
// message; a parameter of the mechanism may be there, and has nothing to say.
func (t *token) messageMechanism(m *Mechanism) (*mechanism, error) {
	row := mechanisms[m.Type]
	switch {
	case row == nil || row.messages == nil || row.sealed && !t.sealsKeys():
		return nil, CKR_MECHANISM_INVALID
	case len(m.Parameter) != 0 && len(m.Parameter) != gcmMessageSize || m.Params != nil:
		return nil, CKR_MECHANISM_PARAM_INVALID
	}
	return row, nil
}

// gcmMessageSize is the size of a CK_GCM_MESSAGE_PARAMS.
const gcmMessageSize = 6 * ulongSize

// GCMMessage is a CK_GCM_MESSAGE_PARAMS: the parameter of one message. IV and Tag are the caller's memory.
type GCMMessage struct {
	IV        []byte
	FixedBits uint
	Generator uint
	Tag       []byte // has as many bytes as TagBits says
	TagBits   uint
}

// parameters are those of a message, with a copy of the IV.
func (m *GCMMessage) parameters(aad []byte) (softkey.MessageIV, softkey.GCM, error) {
	if m == nil || len(m.IV) == 0 {
		return softkey.MessageIV{}, softkey.GCM{}, CKR_MECHANISM_PARAM_INVALID
	}
	iv := messageIV(m.IV, m.FixedBits, m.Generator)
	return iv, softkey.GCM{IV: iv.IV, AAD: aad, TagBits: clampInt(m.TagBits)}, nil
}

// messageIV is an IV of a parameter, with a copy of what the caller gives of it.
func messageIV(iv []byte, fixedBits, generator uint) softkey.MessageIV {
	return softkey.MessageIV{IV: bytes.Clone(iv), FixedBits: clampInt(fixedBits), Generator: softkey.Generator(clampInt(generator))}
}

// checkTag returns an error unless there is a tag of so many bytes, or room for one.
func (m *GCMMessage) checkTag(size int) error {
	if m == nil || len(m.Tag) < size {
		return CKR_MECHANISM_PARAM_INVALID
	}
	return nil
}

func clampInt(n uint) int { return int(min(n, math.MaxInt32)) }

// messageWork is what encryptions and decryptions of messages have in common.
type messageWork struct {
	messages *softkey.Messages
	use      use
}

// messagesWith begins to work on messages with a key, which an attribute permits.
func (s *session) messagesWith(m *Mechanism, key, attribute uint) (messageWork, error) {
	row, err := s.token.messageMechanism(m)
	if err != nil {
		return messageWork{}, err
	}
	era := s.token.privateEra() // before the key is looked up
	o, err := s.keyFor(key, CKO_SECRET_KEY, attribute, m, row)
	if err != nil {
		return messageWork{}, err
	}
	k, err := row.messages(&task{s.token, o, m, row})
	return messageWork{k, s.beginUse(o, era)}, err
}

func messagesGCM(t *task) (*softkey.Messages, error) {
	k, err := keyOf[*softkey.AES](t)
	if err != nil {
		return nil, err
	}
	return k.Messages(), nil
}
