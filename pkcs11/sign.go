// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"hash"

	"libzk_pkcs11/internal/scm"
)

// signatureSize is the length in bytes of every signature of an SCM.
const signatureSize = 64

// signing is a signature under way.
type signing struct {
	key           *object
	data          *signedData
	authenticated bool // a context-specific login came in for it
	era           uint // of private objects, in which it was begun
}

// alwaysAuthenticate reports whether each use of a key needs a login of its own.
func (o *object) alwaysAuthenticate() bool { return o.attrs.isTrue(CKA_ALWAYS_AUTHENTICATE) }

// SignInit begins a signature with a private key (section 5.13.1); without a
// mechanism it cancels the one under way.
func (p *Provider) SignInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.sign.end()
		return nil
	}
	if err := s.sign.checkIdle(); err != nil {
		return err
	}
	row, err := mechanismFor(m, CKF_SIGN)
	if err != nil {
		return err
	}
	era := s.token.names.currentEras().private // before the key is looked up
	o, err := s.keyFor(key, CKO_PRIVATE_KEY, CKA_SIGN, m, &row)
	if err != nil {
		return err
	}
	s.derive = nil // a login is for what was begun last
	return s.sign.begin(&signing{key: o, data: row.newSignedData(), era: era})
}

// Sign signs data in one part (section 5.13.2).
func (p *Provider) Sign(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.sign.workInOne()
	if err != nil {
		return err
	}
	wanted, err := s.sign.finish(out, signatureSize)
	if !wanted {
		return err
	}
	signature, err := w.signature(s.token, w.data.digestOf(data))
	return out.copyUnless(signature, err)
}

// SignUpdate goes on with a signature (section 5.13.3).
func (p *Provider) SignUpdate(h uint, part []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.sign.workInParts()
	if err != nil {
		return err
	}
	return s.sign.endOnError(w.data.addPart(part))
}

// SignFinal ends a signature in parts (section 5.13.4).
func (p *Provider) SignFinal(h uint, out Output[byte]) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.sign.workInParts()
	if err != nil {
		return err
	}
	if err := s.sign.endOnError(w.data.checkParts()); err != nil {
		return err
	}
	wanted, err := s.sign.finish(out, signatureSize)
	if !wanted {
		return err
	}
	signature, err := w.signature(s.token, w.data.digestOfParts())
	return out.copyUnless(signature, err)
}

// signature asks the device.
func (w *signing) signature(t *token, input []byte) ([]byte, error) {
	if t.user() != CKU_USER || w.key.alwaysAuthenticate() && !w.authenticated {
		return nil, CKR_USER_NOT_LOGGED_IN
	}
	if w.era != t.names.currentEras().private {
		return nil, CKR_FUNCTION_FAILED // another thread has logged out and in again
	}
	return w.key.heldKey().sign(t, input)
}

// sign has the device sign a digest or, on Edwards curves, a message.
func (k *heldKey) sign(t *token, input []byte) ([]byte, error) {
	if err := t.checkAtHand(k); err != nil {
		return nil, err
	}
	if k.Curve != scm.Ed25519 {
		input = fitDigest(new([32]byte), input)
	}
	signature, err := t.device.Sign(k.Slot, input)
	if isGone(err) {
		return nil, err
	}
	if lost := t.checkStillHeld(k); lost != nil {
		return nil, lost
	}
	return signature, err
}

// fitDigest makes a digest of 32 bytes of any input of ECDSA on a curve of 256 bits:
// the leftmost bits of a longer one, a shorter one as the same number.
func fitDigest(digest *[32]byte, input []byte) []byte {
	if len(input) >= len(digest) {
		return input[:len(digest)]
	}
	copy(digest[len(digest)-len(input):], input)
	return digest[:]
}

// signedData takes the data of a signature in or hashes it.
type signedData struct {
	hash   hash.Hash // nil for a message that is not hashed
	parts  bool      // may come in parts although it is not hashed
	buffer []byte
}

func (m *mechanism) newSignedData() *signedData {
	w := &signedData{parts: m.wholeMessage}
	if m.hash != 0 {
		w.hash = m.hash.New()
	}
	return w
}

// checkParts returns an error unless the message may come in parts: CKM_ECDSA works on
// one piece only, so that for it no operation in parts has begun.
func (w *signedData) checkParts() error {
	if w.hash == nil && !w.parts {
		return CKR_OPERATION_NOT_INITIALIZED
	}
	return nil
}

func (w *signedData) addPart(part []byte) error {
	if err := w.checkParts(); err != nil {
		return err
	}
	if w.hash != nil {
		w.hash.Write(part)
		return nil
	}
	w.buffer = append(w.buffer, part...)
	return nil
}

// digestOfParts is what there is to sign after all parts have come in.
func (w *signedData) digestOfParts() []byte {
	if w.hash != nil {
		return w.hash.Sum(nil)
	}
	return w.buffer
}

// digestOf is what there is to sign of a message in one piece.
func (w *signedData) digestOf(data []byte) []byte {
	if w.hash == nil {
		return data
	}
	w.hash.Write(data)
	return w.hash.Sum(nil)
}
