// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	// The hashes of the table of mechanisms.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"hash"

	"libzk_pkcs11/internal/secret"
)

// digester is a digest under way.
type digester struct {
	hash.Hash
	mechanism uint
	keyed     bool // the value of a key went in
}

func newDigester(typ uint, row *mechanism) *digester {
	w := &digester{mechanism: typ}
	secret.Do(func() { w.Hash = row.digest(row.hash) }) // what is left of a key in it is overwritten
	return w
}

// finalSum ends the digest. Nothing is left of the value of a key.
func (w *digester) finalSum() (sum []byte) {
	if !w.keyed {
		return w.Sum(nil)
	}
	secret.Do(func() {
		sum = w.Sum(nil)
		secret.Forget(w.Hash)
	})
	return sum
}

// DigestInit begins a digest (section 5.12.1); without a mechanism it cancels
// the one under way.
func (p *Provider) DigestInit(h uint, m *Mechanism) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if m == nil {
		s.digest.end()
		return nil
	}
	if err := s.digest.checkIdle(); err != nil {
		return err
	}
	row, err := s.token.mechanismFor(m, CKF_DIGEST)
	if err != nil {
		return err
	}
	return s.digest.begin(newDigester(m.Type, row))
}

// Digest hashes data in one part (section 5.12.2).
func (p *Provider) Digest(h uint, data []byte, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInOne()
	if err != nil {
		return err
	}
	wanted, err := s.digest.finish(out, w.Size())
	if wanted {
		w.Write(data)
		out.copyResult(w.finalSum())
	}
	return err
}

// DigestUpdate goes on with a digest (section 5.12.3).
func (p *Provider) DigestUpdate(h uint, part []byte) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInParts()
	if err != nil {
		return err
	}
	w.Write(part)
	return nil
}

// DigestKey goes on with a digest over the value of a secret key (section
// 5.12.4).
func (p *Provider) DigestKey(h, key uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInParts()
	if err != nil {
		return err
	}
	return s.digest.endOnError(s.addKey(w, key))
}

// addKey goes on with the value of a secret key.
func (s *session) addKey(w *digester, key uint) error {
	o, err := s.findKey(key)
	switch {
	case err != nil:
		return err
	case o.class() != CKO_SECRET_KEY:
		return CKR_KEY_INDIGESTIBLE
	}
	whole, err := s.token.withValue(o)
	if err != nil {
		return err
	}
	defer o.eraseValueOf(whole)
	secret.Do(func() { w.Write(whole.attrs[CKA_VALUE]) })
	w.keyed = true
	return nil
}

// DigestFinal ends a digest in parts (section 5.12.5).
func (p *Provider) DigestFinal(h uint, out Output[byte]) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	w, err := s.digest.workInParts()
	if err != nil {
		return err
	}
	wanted, err := s.digest.finish(out, w.Size())
	if wanted {
		out.copyResult(w.finalSum())
	}
	return err
}
