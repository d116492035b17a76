// SPDX-License-Identifier: Apache-2.0

package pkcs11

// EncryptInit begins an encryption (section 5.8.1); without a mechanism it cancels the
// one under way.
func (p *Provider) EncryptInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.beginCiphering(&s.encrypt, encrypting, m, key)
}

// Encrypt encrypts data in one part (section 5.8.2).
func (p *Provider) Encrypt(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherWhole(&s.encrypt, data, out)
}

// EncryptUpdate goes on with an encryption (section 5.8.3).
func (p *Provider) EncryptUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherPart(&s.encrypt, part, out)
}

// EncryptFinal ends an encryption in parts (section 5.8.4).
func (p *Provider) EncryptFinal(h uint, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherFinal(&s.encrypt, out)
}

// DecryptInit begins a decryption (section 5.10.1); without a mechanism it cancels the
// one under way.
func (p *Provider) DecryptInit(h uint, m *Mechanism, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return s.beginCiphering(&s.decrypt, decrypting, m, key)
}

// Decrypt decrypts data in one part (section 5.10.2).
func (p *Provider) Decrypt(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherWhole(&s.decrypt, data, out)
}

// DecryptUpdate goes on with a decryption (section 5.10.3).
func (p *Provider) DecryptUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherPart(&s.decrypt, part, out)
}

// DecryptFinal ends a decryption in parts (section 5.10.4).
func (p *Provider) DecryptFinal(h uint, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	return cipherFinal(&s.decrypt, out)
}
