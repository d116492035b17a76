// SPDX-License-Identifier: Apache-2.0

package pkcs11

// verifying is a verification under way.
type verifying struct {
	key  *publicKey
	data *signedData
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
	row, err := mechanismFor(m, CKF_VERIFY)
	if err != nil {
		return nil, err
	}
	o, err := s.keyFor(key, CKO_PUBLIC_KEY, CKA_VERIFY, m, &row)
	if err != nil {
		return nil, err
	}
	return &verifying{o.verify, row.newSignedData()}, nil
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
	return s.verify.endOnError(w.data.addPart(part))
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
	return w.checkParts(signature)
}

// checkWhole checks a signature of data in one piece.
func (w *verifying) checkWhole(data, signature []byte) error {
	return w.checkSignature(w.data.digestOf(data), signature)
}

// checkParts checks a signature of data that came in by parts.
func (w *verifying) checkParts(signature []byte) error {
	if err := w.data.checkParts(); err != nil {
		return err
	}
	return w.checkSignature(w.data.digestOfParts(), signature)
}

// checkSignature holds a signature against what was signed.
//
// Deviates: r and s of ECDSA have all their bytes. Section 6.3.1 lets zeros be cut
// that both begin with; Wycheproof has such signatures among those to refuse.
func (w *verifying) checkSignature(input, signature []byte) error {
	if len(signature) != signatureSize {
		return CKR_SIGNATURE_LEN_RANGE
	}
	if !w.key.verify(input, signature) {
		return CKR_SIGNATURE_INVALID
	}
	return nil
}
