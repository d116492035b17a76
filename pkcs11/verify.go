// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// verifying is a verification under way.
type verifying struct {
	softkey.Verifier
	onePart bool // it is one of a message in one part
	use     use  // of a secret key; what is public needs no login
}

// VerifyInit begins a verification with a public key (section 5.15.1); without
// a mechanism it cancels the one under way.
func (p *Provider) VerifyInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.verify.end()
		return nil
	}
	if err := s.verify.checkIdle(); err != nil {
		return err
	}
	w, err := s.verifying(m, key)
	if err != nil {
		return err
	}
	return s.verify.begin(w)
}

// verifying checks the mechanism and the key of a verification.
func (s *session) verifying(m *Mechanism, key uint) (*verifying, error) {
	row, err := s.token.mechanismFor(m, CKF_VERIFY)
	if err != nil {
		return nil, err
	}
	era := s.token.privateEra()
	o, err := s.keyFor(key, row.keys.classOr(CKO_PUBLIC_KEY), CKA_VERIFY, m, row)
	if err != nil {
		return nil, err
	}
	w, err := row.verify(&task{s.token, o, m, row})
	if err != nil {
		return nil, err
	}
	v := &verifying{Verifier: w, onePart: row.onePart}
	if row.keys.secret {
		v.use = useOf(o, era)
	}
	return v, nil
}

// Verify verifies a signature over data in one part (section 5.15.2).
func (p *Provider) Verify(h uint, data, signature []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verify.workInOne()
	if err != nil {
		return err
	}
	s.verify.end()
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return w.checkWhole(data, signature)
}

// VerifyUpdate goes on with a verification (section 5.15.3).
func (p *Provider) VerifyUpdate(h uint, part []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verify.workInParts()
	if err != nil {
		return err
	}
	return s.verify.endOnError(w.addPart(part))
}

// VerifyFinal ends a verification in parts (section 5.15.4).
func (p *Provider) VerifyFinal(h uint, signature []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verify.workInParts()
	if err != nil {
		return err
	}
	s.verify.end()
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return w.checkParts(signature)
}

// checkWhole checks a signature of data in one piece.
func (w *verifying) checkWhole(data, signature []byte) error {
	if err := w.Update(data); err != nil {
		return err
	}
	return w.Verify(signature)
}

// addPart takes a part of the data in.
func (w *verifying) addPart(part []byte) error {
	if w.onePart {
		return CKR_OPERATION_NOT_INITIALIZED
	}
	return w.Update(part)
}

// checkParts checks a signature of data that came in by parts.
func (w *verifying) checkParts(signature []byte) error {
	if w.onePart {
		return CKR_OPERATION_NOT_INITIALIZED
	}
	return w.Verify(signature)
}
