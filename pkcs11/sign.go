// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// signing is a signature under way.
type signing struct {
	use
	softkey.Signer
	onePart bool // it is one of a message in one part
}

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
	row, err := s.token.mechanismFor(m, CKF_SIGN)
	if err != nil {
		return err
	}
	era := s.token.privateEra() // before the key is looked up
	o, err := s.keyFor(key, row.keys.classOr(CKO_PRIVATE_KEY), CKA_SIGN, m, row)
	if err != nil {
		return err
	}
	w, err := row.sign(&task{s.token, o, m, row})
	if err != nil {
		return err
	}
	return s.sign.begin(&signing{s.beginUse(o, era), w, row.onePart})
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
	wanted, err := s.sign.finish(out, w.Size())
	if !wanted {
		return err
	}
	if err := w.Update(data); err != nil {
		return err
	}
	return s.finishSigning(w, out)
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
	if w.onePart {
		return s.sign.endOnError(CKR_OPERATION_NOT_INITIALIZED)
	}
	return s.sign.endOnError(w.Update(part))
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
	if w.onePart { // for such a mechanism no operation in parts has begun
		return s.sign.endOnError(CKR_OPERATION_NOT_INITIALIZED)
	}
	wanted, err := s.sign.finish(out, w.Size())
	if !wanted {
		return err
	}
	return s.finishSigning(w, out)
}

// finishSigning gives the signature of what came in to the caller, who has room for it.
func (s *session) finishSigning(w *signing, out Output[byte]) error {
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	signature, err := w.Sign(nil)
	return out.copyUnless(signature, err)
}
