// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/softkey"

// recovering is a verification under way that gives the signed data back.
type recovering struct{ task task }

// SignRecoverInit begins a signature that has the data in it (section 5.13.5); without a mechanism it cancels the one
// under way.
func (p *Provider) SignRecoverInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.signRecover.end()
		return nil
	}
	if err := s.signRecover.checkIdle(); err != nil {
		return err
	}
	row, err := s.token.mechanismFor(m, CKF_SIGN_RECOVER)
	if err != nil {
		return err
	}
	era := s.token.privateEra() // before the key is looked up
	o, err := s.keyFor(key, CKO_PRIVATE_KEY, CKA_SIGN_RECOVER, m, row)
	if err != nil {
		return err
	}
	w, err := row.sign(&task{s.token, o, m, row})
	if err != nil {
		return err
	}
	return s.signRecover.begin(&signing{s.beginUse(o, era), w, true})
}

// SignRecover signs data in one part, which is the only way (section 5.13.6).
func (p *Provider) SignRecover(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.signRecover.workInOne()
	if err != nil {
		return err
	}
	wanted, err := s.signRecover.finish(out, w.Size())
	if !wanted {
		return err
	}
	if err := w.Update(data); err != nil {
		return err
	}
	return s.finishSigning(w, out)
}

// VerifyRecoverInit begins a verification that gives the signed data back (section 5.15.5); without a mechanism it
// cancels the one under way.
func (p *Provider) VerifyRecoverInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.verifyRecover.end()
		return nil
	}
	if err := s.verifyRecover.checkIdle(); err != nil {
		return err
	}
	row, err := s.token.mechanismFor(m, CKF_VERIFY_RECOVER)
	if err != nil {
		return err
	}
	o, err := s.keyFor(key, CKO_PUBLIC_KEY, CKA_VERIFY_RECOVER, m, row)
	if err != nil {
		return err
	}
	return s.verifyRecover.begin(&recovering{task{s.token, o, m, row}})
}

// VerifyRecover verifies a signature, and gives the data that it has in it (section 5.15.6).
func (p *Provider) VerifyRecover(h uint, signature []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verifyRecover.workInOne()
	if err != nil {
		return err
	}
	data, err := w.task.row.recover(&w.task, signature)
	if err != nil {
		return s.verifyRecover.endOnError(err)
	}
	wanted, err := s.verifyRecover.finish(out, len(data))
	if wanted {
		out.copyResult(data)
	}
	return err
}

// recoverPKCS1 takes the data out of a signature by PKCS #1 v1.5.
func recoverPKCS1(t *task, signature []byte) ([]byte, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.RecoverPKCS1(signature)
}

// recoverRaw takes the data out of a signature without a padding.
func recoverRaw(t *task, signature []byte) ([]byte, error) {
	k, err := publicOf[*softkey.RSAPublic](t)
	if err != nil {
		return nil, err
	}
	return k.RecoverRaw(signature)
}
