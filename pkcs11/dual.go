// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "bytes"

// The functions for two operations at a time (section 5.17). A part of the message goes into the digest, the signature or
// the verification only when the cipher has given its result out: a caller who only asks for the size, or has too little
// room, sends the same part again. What fails ends the cipher, and leaves the other operation as it was.

// DigestEncryptUpdate encrypts a part of a message, and hashes it (section 5.17.1).
func (p *Provider) DigestEncryptUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInParts()
	if err != nil {
		return err
	}
	plain := bytes.Clone(part) // the result may go to where the part is
	defer clear(plain)
	if done, err := cipherGiven(&s.encrypt, plain, out); !done {
		return err
	}
	w.Write(plain)
	return nil
}

// DecryptDigestUpdate decrypts a part of a message, and hashes what comes of it (section 5.17.2).
func (p *Provider) DecryptDigestUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInParts()
	if err != nil {
		return err
	}
	if done, err := cipherGiven(&s.decrypt, part, out); !done {
		return err
	}
	w.Write(out.Buffer[:*out.Length])
	return nil
}

// SignEncryptUpdate encrypts a part of a message, and takes it into a signature (section 5.17.3).
func (p *Provider) SignEncryptUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
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
	plain := bytes.Clone(part)
	defer clear(plain)
	if done, err := cipherGiven(&s.encrypt, plain, out); !done {
		return err
	}
	return s.sign.endOnError(w.Update(plain))
}

// DecryptVerifyUpdate decrypts a part of a message, and takes what comes of it into a verification (section 5.17.4).
func (p *Provider) DecryptVerifyUpdate(h uint, part []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.verify.workInParts()
	if err != nil {
		return err
	}
	if w.onePart {
		return s.verify.endOnError(CKR_OPERATION_NOT_INITIALIZED)
	}
	if done, err := cipherGiven(&s.decrypt, part, out); !done {
		return err
	}
	return s.verify.endOnError(w.addPart(out.Buffer[:*out.Length]))
}

// cipherGiven is cipherPart, and reports whether the caller has the result.
func cipherGiven(o *operation[ciphering], part []byte, out Output[byte]) (done bool, err error) {
	err = cipherPart(o, part, out)
	return err == nil && out.Buffer != nil, err
}
