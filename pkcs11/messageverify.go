// SPDX-License-Identifier: Apache-2.0

package pkcs11

// messageVerification is the verification of messages under way.
type messageVerification struct {
	use      use // of a secret key; what is public needs no login
	task     task
	verifier *verifying // of the message under way, else nil
}

// MessageVerifyInit begins to verify messages (section 5.16.1); without a mechanism it ends that.
func (p *Provider) MessageVerifyInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.messages.verify.end()
		return nil
	}
	if err := s.messages.verify.checkIdle(); err != nil {
		return err
	}
	w, err := s.verifying(m, key)
	if err != nil {
		return err
	}
	o, err := s.findKey(key)
	if err != nil {
		return err
	}
	return s.messages.verify.begin(&messageVerification{w.use, task{s.token, o, m, mechanisms[m.Type]}, w})
}

// newVerifier is the verifier of one message. That of the first is there, since the beginning has tried it.
func (w *messageVerification) newVerifier() (verifier *verifying, err error) {
	if verifier, w.verifier = w.verifier, nil; verifier != nil {
		return verifier, nil
	}
	v, err := w.task.row.verify(&w.task)
	if err != nil {
		return nil, err
	}
	return &verifying{Verifier: v, onePart: w.task.row.onePart}, nil
}

// VerifyMessage verifies the signature of a message in one part (section 5.16.2).
func (p *Provider) VerifyMessage(h uint, data, signature []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.verify.workForMessage()
	if err != nil {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	verifier, err := w.newVerifier()
	if err != nil {
		return err
	}
	return verifier.checkWhole(data, signature)
}

// VerifyMessageBegin begins a message in parts (section 5.16.3).
func (p *Provider) VerifyMessageBegin(h uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.verify.workForMessage()
	if err != nil {
		return err
	}
	if w.task.row.onePart {
		return CKR_OPERATION_NOT_INITIALIZED // as C_VerifyUpdate: there are no parts
	}
	if w.verifier, err = w.newVerifier(); err != nil {
		return err
	}
	s.messages.verify.beginMessage()
	return nil
}

// VerifyMessageNext goes on with a message (section 5.16.4). The last part comes with the signature.
func (p *Provider) VerifyMessageNext(h uint, part, signature []byte) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.verify.workInMessage()
	if err != nil {
		return err
	}
	err = w.verifier.addPart(part)
	if err == nil && signature == nil {
		return nil
	}
	verifier := w.verifier
	w.verifier = nil
	s.messages.verify.endMessage()
	if err != nil {
		return err
	}
	if err := s.token.checkUsable(&w.use); err != nil {
		return err
	}
	return verifier.checkParts(signature)
}

// MessageVerifyFinal ends the verification of messages (section 5.16.5).
func (p *Provider) MessageVerifyFinal(h uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.messages.verify.finishMessages()
}
