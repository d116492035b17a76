// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/hmac"
	"fmt"
	"hash"
	"sync"

	"libzk_pkcs11/internal/secret"
)

// HMAC begins a code by HMAC, that is made or checked.
func (s *Secret) HMAC(h crypto.Hash) (*MAC, error) {
	if err := checkHash(h); err != nil {
		return nil, err
	}
	states := s.keyedHash(h)
	state := states.Get().(hash.Hash)
	state.Reset()
	return &MAC{state: state, states: states, size: h.Size()}, nil
}

// HMACGeneral is HMAC of which the first size bytes count.
func (s *Secret) HMACGeneral(h crypto.Hash, size int) (*MAC, error) {
	m, err := s.HMAC(h)
	if err != nil {
		return nil, err
	}
	return m.shortened(size)
}

// keyedHash returns where hashes that have taken in the key wait to be used again: that is half
// of the work for a short message.
func (s *Secret) keyedHash(h crypto.Hash) *sync.Pool {
	if states, known := s.macs.Load(h); known {
		return states.(*sync.Pool)
	}
	states, _ := s.macs.LoadOrStore(h, &sync.Pool{New: func() any { return s.newHMAC(h) }})
	return states.(*sync.Pool)
}

func (s *Secret) newHMAC(h crypto.Hash) (state hash.Hash) {
	key := s.Value()
	defer clear(key)
	secret.Do(func() { state = hmac.New(h.New, key) })
	return state
}

// MAC is an authentication code under way. It is a Signer and a Verifier.
type MAC struct {
	state  hash.Hash  // nil at the end
	states *sync.Pool // where the state goes then, or nil
	size   int
}

// shortened leaves the first size bytes of the code.
func (m *MAC) shortened(size int) (*MAC, error) {
	if size < 1 || size > m.size {
		return nil, fmt.Errorf("code of %d bytes: %w", size, ErrParameter)
	}
	m.size = size
	return m, nil
}

// Update goes on with a part of the message.
func (m *MAC) Update(part []byte) error {
	if m.state == nil {
		return ErrEnded
	}
	m.state.Write(part)
	return nil
}

// Size is the length of the code.
func (m *MAC) Size() int { return m.size }

// Sign appends the code to dst.
func (m *MAC) Sign(dst []byte) ([]byte, error) {
	switch {
	case m.state == nil:
		return nil, ErrEnded
	case m.size == m.state.Size():
		return m.complete(dst), nil
	}
	return append(dst, m.complete(nil)[:m.size]...), nil
}

// Verify compares the code of the message with a given one, in a time that tells nothing.
func (m *MAC) Verify(code []byte) error {
	if m.state == nil {
		return ErrEnded
	}
	sum := m.complete(nil)[:m.size]
	switch {
	case len(code) != m.size:
		return ErrSignatureLength
	case !hmac.Equal(sum, code):
		return ErrSignature
	}
	return nil
}

// complete appends the whole code, and ends the operation.
func (m *MAC) complete(dst []byte) []byte {
	dst = m.state.Sum(dst)
	if m.states != nil {
		m.states.Put(m.state)
	}
	m.state = nil
	return dst
}
