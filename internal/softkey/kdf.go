// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"encoding/binary"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// All functions of this file return new secrets, which the caller overwrites once they are kept.

// HKDF is what CKM_HKDF_DERIVE and CKM_HKDF_DATA are done with (RFC 5869).
type HKDF struct {
	Hash    crypto.Hash
	Extract bool   // at least one of the two
	Expand  bool   //
	Salt    []byte // for Extract; empty: zeros
	Info    []byte // for Expand
}

// HKDF derives n bytes. Without Expand they are as many as the hash has, and n is that or 0.
func (s *Secret) HKDF(p HKDF, n int) ([]byte, error) {
	if err := checkHash(p.Hash); err != nil {
		return nil, err
	}
	size := p.Hash.Size()
	switch {
	case !p.Extract && !p.Expand:
		return nil, fmt.Errorf("HKDF that does nothing: %w", ErrParameter)
	case !p.Expand && n != 0 && n != size, n < 0, p.Expand && (n == 0 || n > 255*size):
		return nil, fmt.Errorf("%d bytes by HKDF: %w", n, ErrKeySize)
	}
	key := s.Value()
	defer func() { clear(key) }()
	return secret.ComputeWith(p.derive, &key, n)
}

// derive does the steps. The key becomes what Extract makes of it.
func (p *HKDF) derive(key *[]byte, n int) ([]byte, error) {
	if p.Extract {
		extracted, err := hkdf.Extract(p.Hash.New, *key, p.Salt)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrParameter, err)
		}
		clear(*key)
		*key = extracted
	}
	if !p.Expand {
		return append([]byte{}, *key...), nil
	}
	out, err := hkdf.Expand(p.Hash.New, *key, string(p.Info), n)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameter, err)
	}
	return out, nil
}

// DeriveHash is CKM_SHA256_KEY_DERIVATION and its like: the first n bytes of the hash of the secret, for 0
// all of them.
func (s *Secret) DeriveHash(h crypto.Hash, n int) ([]byte, error) {
	if err := checkHash(h); err != nil {
		return nil, err
	}
	key := s.Value()
	defer clear(key)
	state := h.New()
	state.Write(key)
	sum := state.Sum(nil)
	secret.Forget(state)
	return leading(sum, n)
}

// Concatenate is CKM_CONCATENATE_BASE_AND_KEY, with this secret as the base.
func (s *Secret) Concatenate(other *Secret, n int) ([]byte, error) {
	key := other.Value()
	defer clear(key)
	return s.ConcatenateData(key, n)
}

// ConcatenateData is CKM_CONCATENATE_BASE_AND_DATA: the first n bytes, for 0 all of them.
func (s *Secret) ConcatenateData(data []byte, n int) ([]byte, error) {
	key := s.Value()
	defer clear(key)
	return joined(key, data, n)
}

// ConcatenateToData is CKM_CONCATENATE_DATA_AND_BASE: the first n bytes, for 0 all of them.
func (s *Secret) ConcatenateToData(data []byte, n int) ([]byte, error) {
	key := s.Value()
	defer clear(key)
	return joined(data, key, n)
}

func joined(first, second []byte, n int) ([]byte, error) {
	if len(first)+len(second) > LongestSecret {
		return nil, fmt.Errorf("secret of %d bytes: %w", len(first)+len(second), ErrKeySize)
	}
	out := secret.Make(len(first) + len(second))
	copy(out[copy(out, first):], second)
	return leading(out, n)
}

// XOR is CKM_XOR_BASE_AND_DATA: as long as the shorter of both, or its first n bytes.
func (s *Secret) XOR(data []byte, n int) ([]byte, error) {
	out := s.Value()
	size := addMask(out, data)
	clear(out[size:])
	return leading(out[:size], n)
}

// Extract is CKM_EXTRACT_KEY_FROM_KEY: n bytes from a bit on, the highest being bit 0. What
// goes beyond the last bit comes from the first ones.
func (s *Secret) Extract(bit uint64, n int) ([]byte, error) {
	size := s.Size()
	switch {
	case bit >= uint64(8*size):
		return nil, fmt.Errorf("bit %d of %d: %w", bit, 8*size, ErrParameter)
	case n < 1 || n > size:
		return nil, fmt.Errorf("%d bytes of %d: %w", n, size, ErrKeySize)
	}
	key := s.Value()
	defer clear(key)
	out := secret.Make(n)
	first, shift := int(bit/8), bit%8
	for i := range out {
		a, b := key[(first+i)%size], key[(first+i+1)%size]
		out[i] = a<<shift | byte(uint16(b)>>(8-shift))
	}
	return out, nil
}

// leading returns the first n bytes, for 0 all, and overwrites the rest.
func leading(b []byte, n int) ([]byte, error) {
	if n == 0 {
		n = len(b)
	}
	if n < 1 || n > len(b) {
		clear(b)
		return nil, fmt.Errorf("%d bytes of %d: %w", n, len(b), ErrKeySize)
	}
	clear(b[n:])
	return b[:n:n], nil
}

// longestPBKDF2 is how many bytes a password may give.
const longestPBKDF2 = 1 << 12

// PBKDF2 is CKM_PKCS5_PBKD2: n bytes of a password (RFC 8018). It lasts as long as the caller's
// count of iterations says. The library keeps a copy of the password on the heap.
func PBKDF2(h crypto.Hash, password, salt []byte, iterations uint64, n int) (out []byte, err error) {
	if err := checkHash(h); err != nil {
		return nil, err
	}
	if iterations < 1 || iterations > 1<<31-1 {
		return nil, fmt.Errorf("%d iterations: %w", iterations, ErrParameter)
	}
	if n < 1 || n > longestPBKDF2 {
		return nil, fmt.Errorf("%d bytes by PBKDF2: %w", n, ErrKeySize)
	}
	secret.Do(func() { out, err = pbkdf2.Key(h.New, string(password), salt, int(iterations), n) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParameter, err)
	}
	return out, nil
}

// deriveX963 is the key derivation function of ANSI X9.63, of SEC 1, section 3.6.1.
func deriveX963(h crypto.Hash, shared, info []byte, n int) ([]byte, error) {
	if n < 1 || n > LongestSecret {
		return nil, fmt.Errorf("%d bytes by X9.63: %w", n, ErrKeySize)
	}
	state := h.New()
	defer secret.Forget(state)
	out := secret.Make((n + h.Size() - 1) / h.Size() * h.Size())[:0]
	var counter [4]byte
	for i := uint32(1); len(out) < n; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		state.Reset()
		state.Write(shared)
		state.Write(counter[:])
		state.Write(info)
		out = state.Sum(out)
	}
	return leading(out, n)
}
