// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "bytes"

// verifyingKnown is a verification of a signature that came before the data.
type verifyingKnown struct {
	*verifying
	signature []byte
}

// VerifySignatureInit begins the verification of a signature with a public key
// (section 5.15.7); without a mechanism it cancels the one under way.
func (p *Provider) VerifySignatureInit(h uint, m *Mechanism, key uint, signature []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.verifySignature.end()
		return nil
	}
	if err := s.verifySignature.checkIdle(); err != nil {
		return err
	}
	w, err := s.verifying(m, key)
	if err != nil {
		return err
	}
	return s.verifySignature.begin(&verifyingKnown{w, bytes.Clone(signature)})
}

// VerifySignature verifies the signature over data in one part (section 5.15.8).
func (p *Provider) VerifySignature(h uint, data []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verifySignature.workInOne()
	if err != nil {
		return err
	}
	s.verifySignature.end()
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return w.checkWhole(data, w.signature)
}

// VerifySignatureUpdate goes on with the verification (section 5.15.9).
func (p *Provider) VerifySignatureUpdate(h uint, part []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verifySignature.workInParts()
	if err != nil {
		return err
	}
	return s.verifySignature.endOnError(w.addPart(part))
}

// VerifySignatureFinal ends a verification in parts (section 5.15.10).
func (p *Provider) VerifySignatureFinal(h uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verifySignature.workInParts()
	if err != nil {
		return err
	}
	s.verifySignature.end()
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return w.checkParts(w.signature)
}
