// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// messageSigning is the signing of messages under way.
type messageSigning struct {
	use    use
	task   task
	signer softkey.Signer // of the message under way, else nil
}

// MessageSignInit begins to sign messages (section 5.14.1); without a mechanism it ends that.
func (p *Provider) MessageSignInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.messages.sign.end()
		return nil
	}
	if err := s.messages.sign.checkIdle(); err != nil {
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
	w := &messageSigning{task: task{s.token, o, m, row}}
	if w.signer, err = row.sign(&w.task); err != nil {
		return err
	}
	w.use = s.beginUse(o, era)
	return s.messages.sign.begin(w)
}

// newSigner is the signer of one message. That of the first is there, since the beginning has tried it.
func (w *messageSigning) newSigner() (signer softkey.Signer, err error) {
	if signer, w.signer = w.signer, nil; signer != nil {
		return signer, nil
	}
	return w.task.row.sign(&w.task)
}

// SignMessage signs a message in one part (section 5.14.2). No mechanism has a parameter for a message.
func (p *Provider) SignMessage(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.sign.workForMessage()
	if err != nil {
		return err
	}
	signer, err := w.newSigner()
	if err != nil {
		return err
	}
	if wanted, err := out.isWanted(signer.Size()); !wanted {
		w.signer = signer
		return err
	}
	if err := signer.Update(data); err != nil {
		return err
	}
	return w.finishMessage(signer, out)
}

// finishMessage gives out the signature of what came in.
func (w *messageSigning) finishMessage(signer softkey.Signer, out Output[byte]) error {
	if err := w.task.token.checkUsable(&w.use); err != nil {
		return err
	}
	w.use.authenticated = false // the next message needs a login of its own again
	signature, err := signer.Sign(nil)
	return out.copyUnless(signature, err)
}

// SignMessageBegin begins a message in parts (section 5.14.3).
func (p *Provider) SignMessageBegin(h uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.sign.workForMessage()
	if err != nil {
		return err
	}
	if w.task.row.onePart {
		return CKR_OPERATION_NOT_INITIALIZED // as C_SignUpdate: there are no parts
	}
	if w.signer, err = w.newSigner(); err != nil {
		return err
	}
	s.messages.sign.beginMessage()
	return nil
}

// SignMessageNext goes on with a message (section 5.14.4). The last part comes with a length, for the signature.
func (p *Provider) SignMessageNext(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.messages.sign.workInMessage()
	if err != nil {
		return err
	}
	if out.Length != nil {
		if wanted, err := out.isWanted(w.signer.Size()); !wanted {
			return err
		}
	}
	if err := w.signer.Update(part); err != nil || out.Length != nil {
		s.messages.sign.endMessage()
		signer := w.signer
		w.signer = nil
		if err != nil {
			return err
		}
		return w.finishMessage(signer, out)
	}
	return nil
}

// MessageSignFinal ends the signing of messages (section 5.14.5).
func (p *Provider) MessageSignFinal(h uint) (err error) {
	s, err := p.sessionForOperation(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.messages.sign.finishMessages()
}
