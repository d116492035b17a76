// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// Agreement is what a secret is made of by ECDH (CKM_ECDH1_DERIVE). The cofactor of all curves here is 1, or
// part of the private key, so that CKM_ECDH1_COFACTOR_DERIVE gives the same.
type Agreement struct {
	Peer []byte      // the other one's public key: a point, or the 32 bytes of X25519
	KDF  crypto.Hash // of ANSI X9.63; 0: none, the shared value itself
	Info []byte      // for KDF
}

// Agree returns the last n bytes of the shared value, for 0 all of it, or n bytes that KDF has made of it. A
// point that is none is ErrKey. The caller overwrites the result.
func (k *EC) Agree(a Agreement, n int) ([]byte, error) {
	peer, err := k.curve.ParsePoint(a.Peer)
	if err != nil {
		return nil, err
	}
	if err := a.validate(); err != nil {
		return nil, err
	}
	scalar := k.Value()
	defer clear(scalar)
	shared, err := secret.ComputeWith(k.curve.sharedX, scalar, peer)
	if err != nil {
		return nil, err
	}
	return a.derive(shared, n)
}

func (a *Agreement) validate() error {
	if a.KDF == 0 && len(a.Info) > 0 {
		return fmt.Errorf("shared data without a derivation: %w", ErrParameter)
	}
	return checkHashOrNone(a.KDF)
}

// Finish is the end of Agree for a shared value that somebody else has, such as a device. It is overwritten.
func (a *Agreement) Finish(shared []byte, n int) ([]byte, error) {
	if err := a.validate(); err != nil {
		clear(shared)
		return nil, err
	}
	return a.derive(shared, n)
}

// derive makes the result of a shared value, which it overwrites.
func (a *Agreement) derive(shared []byte, n int) ([]byte, error) {
	if a.KDF == 0 {
		return trailing(shared, n)
	}
	defer clear(shared)
	if n == 0 {
		n = len(shared)
	}
	return deriveX963(a.KDF, shared, a.Info, n)
}

// trailing returns the last n bytes, for 0 all, and overwrites the rest: section 6.3 of the specification
// shortens at the leading end.
func trailing(b []byte, n int) ([]byte, error) {
	if n == 0 {
		n = len(b)
	}
	if n < 1 || n > len(b) {
		clear(b)
		return nil, fmt.Errorf("%d bytes of %d: %w", n, len(b), ErrKeySize)
	}
	clear(b[:len(b)-n])
	return b[len(b)-n:], nil
}
