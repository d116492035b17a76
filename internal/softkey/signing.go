// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"hash"
)

// signing is the Signer of what needs the whole message, or the hash of it.
type signing struct {
	gathered
	state hash.Hash // or nil
	bytes int
	sign  func(message []byte) ([]byte, error)
}

// newSigning returns a Signer of messages of up to most bytes, for -1 of any length; with a hash, of
// messages of any length.
func newSigning(h crypto.Hash, most, size int, sign func([]byte) ([]byte, error)) *signing {
	s := &signing{gathered: gathered{most: most}, bytes: size, sign: sign}
	if h != 0 {
		s.state = h.New()
	}
	return s
}

func (s *signing) Size() int { return s.bytes }

func (s *signing) Update(part []byte) error { return s.takePart(s.state, part) }

// takePart hashes a part of the message, or keeps it.
func (g *gathered) takePart(state hash.Hash, part []byte) error {
	if state == nil || g.ended {
		return g.addPart(part)
	}
	state.Write(part)
	return nil
}

// finished is the message, or its hash, at the end.
func (g *gathered) finished(state hash.Hash) ([]byte, error) {
	if g.ended {
		return nil, ErrEnded
	}
	if state != nil {
		return state.Sum(nil), nil
	}
	return g.message, nil
}

func (s *signing) Sign(dst []byte) ([]byte, error) {
	message, err := s.finished(s.state)
	if err != nil {
		return nil, err
	}
	defer s.endMessage()
	signature, err := s.sign(message)
	if err != nil {
		return nil, err
	}
	return append(dst, signature...), nil
}

// verifying is the Verifier of what needs the whole message, or the hash of it.
type verifying struct {
	gathered
	state  hash.Hash // or nil
	bytes  int
	verify func(message, signature []byte) error
}

// newVerifying is newSigning for a Verifier.
func newVerifying(h crypto.Hash, most, size int, verify func(message, signature []byte) error) *verifying {
	v := &verifying{gathered: gathered{most: most}, bytes: size, verify: verify}
	if h != 0 {
		v.state = h.New()
	}
	return v
}

func (v *verifying) Update(part []byte) error { return v.takePart(v.state, part) }

func (v *verifying) Verify(signature []byte) error {
	message, err := v.finished(v.state)
	if err != nil {
		return err
	}
	defer v.endMessage()
	if len(signature) != v.bytes {
		return ErrSignatureLength
	}
	return v.verify(message, signature)
}
