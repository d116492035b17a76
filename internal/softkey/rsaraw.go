// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"

	"filippo.io/bigmod"

	"libzk_pkcs11/internal/secret"
)

// rsaRaw are the numbers of a key for the bare operation of RSA, which the library of the
// standard does not give: CKM_RSA_X_509 is that, and what is padded in ways that are not the library's.
type rsaRaw struct {
	n, p, q *bigmod.Modulus
	dp, dq  []byte
	qi      *bigmod.Nat
	e       uint
}

func newRaw(key *rsa.PrivateKey) (*rsaRaw, error) {
	r := &rsaRaw{dp: key.Precomputed.Dp.Bytes(), dq: key.Precomputed.Dq.Bytes(), e: uint(key.E)}
	var errs [4]error
	r.n, errs[0] = bigmod.NewModulus(key.N.Bytes())
	r.p, errs[1] = bigmod.NewModulus(key.Primes[0].Bytes())
	r.q, errs[2] = bigmod.NewModulus(key.Primes[1].Bytes())
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
	}
	r.qi, errs[3] = bigmod.NewNat().SetBytes(key.Precomputed.Qinv.FillBytes(make([]byte, r.p.Size())), r.p)
	if errs[3] != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, errs[3])
	}
	return r, nil
}

// private raises a message of the length of the modulus to the private exponent, in constant
// time (RFC 8017, section 5.1.2). A result that a fault has changed is not given out: it
// would give the factors away.
func (r *rsaRaw) private(message []byte) ([]byte, error) {
	c, err := bigmod.NewNat().SetBytes(message, r.n)
	if err != nil {
		return nil, ErrData // not less than the modulus
	}
	return secret.Compute(r.exponentiate, c)
}

func (r *rsaRaw) exponentiate(c *bigmod.Nat) ([]byte, error) {
	rest, m, second := bigmod.NewNat(), bigmod.NewNat(), bigmod.NewNat()
	m.Exp(rest.Mod(c, r.p), r.dp, r.p)
	second.Exp(rest.Mod(c, r.q), r.dq, r.q)
	m.Sub(rest.Mod(second, r.p), r.p).Mul(r.qi, r.p)
	m.ExpandFor(r.n).Mul(rest.Mod(r.q.Nat(), r.n), r.n)
	m.Add(second.ExpandFor(r.n), r.n)
	if again := bigmod.NewNat().ExpShortVarTime(m, r.e, r.n); again.Equal(c) != 1 {
		return nil, fmt.Errorf("wrong result of RSA: %w", ErrKey)
	}
	return m.Bytes(r.n), nil
}

// public raises a message of the length of the modulus to the public exponent.
func (k *RSAPublic) public(message []byte) ([]byte, error) {
	n, err := bigmod.NewModulus(k.key.N.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	c, err := bigmod.NewNat().SetBytes(message, n)
	if err != nil {
		return nil, ErrData
	}
	return bigmod.NewNat().ExpShortVarTime(c, uint(k.key.E), n).Bytes(n), nil
}

// zeroPadded puts zeros before a message until it has n bytes.
func zeroPadded(message []byte, n int) ([]byte, error) {
	if len(message) > n {
		return nil, ErrLength
	}
	return append(make([]byte, n-len(message), n), message...), nil
}

// SignRaw begins CKM_RSA_X_509: the message, with zeros before it, is raised to the private
// exponent. ErrData if it is not less than the modulus.
func (k *RSA) SignRaw() Signer {
	return &signing{gathered: gathered{most: k.Size()}, bytes: k.Size(), sign: k.raw.padded}
}

func (r *rsaRaw) padded(message []byte) ([]byte, error) {
	full, err := zeroPadded(message, r.n.Size())
	if err != nil {
		return nil, err
	}
	return r.private(full)
}

// VerifyRaw begins the verification of SignRaw.
func (k *RSAPublic) VerifyRaw() Verifier {
	return &verifying{gathered: gathered{most: k.Size()}, bytes: k.Size(), verify: k.verifyRaw}
}

func (k *RSAPublic) verifyRaw(message, signature []byte) error {
	recovered, err := k.public(signature)
	if err != nil {
		return ErrSignature
	}
	if full, err := zeroPadded(message, k.Size()); err != nil || !bytes.Equal(full, recovered) {
		return ErrSignature
	}
	return nil
}

// RecoverRaw returns what a signature by SignRaw was made of, with its zeros.
func (k *RSAPublic) RecoverRaw(signature []byte) ([]byte, error) {
	if len(signature) != k.Size() {
		return nil, ErrSignatureLength
	}
	message, err := k.public(signature)
	if err != nil {
		return nil, ErrSignature
	}
	return message, nil
}

// EncryptRaw begins CKM_RSA_X_509 with the public key.
func (k *RSAPublic) EncryptRaw() Stream { return newWhole(&rawPublic{k}, k.Size()) }

// DecryptRaw undoes EncryptRaw, but for the zeros before the message.
func (k *RSA) DecryptRaw() Stream { return newWhole(&rawPrivate{k}, k.Size()) }

type rawPublic struct{ *RSAPublic }

func (p *rawPublic) outputSize(int) int { return p.Size() }

func (p *rawPublic) applyTo(dst, message []byte) ([]byte, error) {
	full, err := zeroPadded(message, p.Size())
	if err != nil {
		return nil, err
	}
	defer clear(full)
	return appended(dst, p.public, full)
}

type rawPrivate struct{ *RSA }

func (p *rawPrivate) outputSize(int) int { return p.Size() }

func (p *rawPrivate) applyTo(dst, message []byte) ([]byte, error) {
	if len(message) != p.Size() {
		return nil, ErrLength
	}
	return appended(dst, p.raw.private, message)
}

// appended appends what f makes of a message, and overwrites it elsewhere.
func appended(dst []byte, f func([]byte) ([]byte, error), message []byte) ([]byte, error) {
	b, err := f(message)
	defer clear(b)
	if err != nil {
		return nil, err
	}
	return append(dst, b...), nil
}

// equalTime reports whether a and b are equal, by subtle.ConstantTimeCompare.
func equalTime(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
