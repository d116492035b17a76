// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding"
	"encoding/binary"
	"hash"
)

// GetOperationState saves the digest that is under way in a session (section
// 5.6.6). A session that is in the middle of anything else, or has taken the
// value of a key into the digest, has no state that may be shown.
func (p *Provider) GetOperationState(h uint, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w := s.digest.work
	switch {
	case s.isBusy() || w != nil && w.keyed:
		return CKR_STATE_UNSAVEABLE
	case w == nil:
		return CKR_OPERATION_NOT_INITIALIZED
	}
	state, err := w.savedState()
	if err != nil {
		return CKR_STATE_UNSAVEABLE
	}
	return out.writeResult(state)
}

// isBusy reports whether the session is in the middle of something that has no state to
// show.
func (s *session) isBusy() bool {
	return s.sign.work != nil || s.verify.work != nil || s.verifySignature.work != nil ||
		s.signRecover.work != nil || s.verifyRecover.work != nil || s.encrypt.work != nil || s.decrypt.work != nil ||
		s.messages.isActive()
}

// SetOperationState goes on with a saved digest in place of whatever the session
// was doing (section 5.6.7). No key is needed for one.
func (p *Provider) SetOperationState(h uint, state []byte, encryptionKey, authenticationKey uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if encryptionKey != CK_INVALID_HANDLE || authenticationKey != CK_INVALID_HANDLE {
		return CKR_KEY_NOT_NEEDED
	}
	w, err := resumed(state)
	if err != nil {
		return CKR_SAVED_STATE_INVALID
	}
	s.cancel(CKF_DIGEST | CKF_SIGN | CKF_SIGN_RECOVER | CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_ENCRYPT | CKF_DECRYPT | CKF_FIND_OBJECTS | messageFlags)
	return s.digest.begin(w)
}

// savedState is the mechanism, eight bytes big-endian, and the state of the hash.
func (w *digester) savedState() ([]byte, error) {
	m, ok := w.Hash.(encoding.BinaryMarshaler)
	if !ok {
		return nil, CKR_STATE_UNSAVEABLE
	}
	b, err := m.MarshalBinary()
	return append(binary.BigEndian.AppendUint64(nil, uint64(w.mechanism)), b...), err
}

// resumed makes a digest of what state returned.
func resumed(state []byte) (*digester, error) {
	if len(state) < 8 {
		return nil, CKR_SAVED_STATE_INVALID
	}
	typ := uint(binary.BigEndian.Uint64(state))
	row := mechanisms[typ]
	if row == nil || row.digest == nil {
		return nil, CKR_SAVED_STATE_INVALID
	}
	w := newDigester(typ, row)
	m, ok := w.Hash.(encoding.BinaryUnmarshaler)
	if !ok || m.UnmarshalBinary(state[8:]) != nil || !takesData(w.Hash) {
		return nil, CKR_SAVED_STATE_INVALID
	}
	return w, nil
}

// takesData reports whether a hash can go on: one of SHA-3 panics in a state that it has
// only after its output was begun, which no digest here has.
func takesData(h hash.Hash) (takes bool) {
	defer recoverTo(&takes)
	h.Write(nil)
	return true
}

// recoverTo makes a panic the result false.
func recoverTo(result *bool) {
	if recover() != nil {
		*result = false
	}
}
