// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"libzk_pkcs11/internal/secret"
)

// longestDigest is how long a message may be that ECDSA signs without a hash: of what is longer than the order
// the highest bits count.
const longestDigest = 1 << 16

// Sign begins a signature by ECDSA, r and s side by side, of a message that is hashed. The hash 0 stands
// for none: the message is a hash (CKM_ECDSA).
func (k *EC) Sign(h crypto.Hash) (Signer, error) {
	if err := checkHashOrNone(h); err != nil {
		return nil, err
	}
	return newSigning(h, longestDigest, 2*k.curve.Size(), k.signDigest), nil
}

// Verify begins the verification of Sign.
//
// Deviates: r and s have all their bytes. Section 6.3.1 lets zeros be cut that both begin with; Wycheproof has such
// signatures among those to refuse.
func (k *ECPublic) Verify(h crypto.Hash) (Verifier, error) {
	if err := checkHashOrNone(h); err != nil {
		return nil, err
	}
	return newVerifying(h, longestDigest, 2*k.curve.Size(), k.verify), nil
}

func (k *EC) signDigest(digest []byte) (signature []byte, err error) {
	if k.curve == Secp256k1 {
		scalar := k.Value()
		defer clear(scalar)
		return secret.ComputeWith(signSecp256k1, scalar, digest)
	}
	k.once.Do(k.expand)
	if k.key == nil {
		return nil, fmt.Errorf("private key on %s: %w", k.curve, ErrKey)
	}
	der, err := ecdsa.SignASN1(rand.Reader, k.key, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k.curve.sideBySide(der)
}

// expand makes a key of the library, which keeps what it computes of it for the next signature. It is on
// the heap, and overwritten when the collector finds the key out of use.
func (k *EC) expand() {
	scalar := k.Value()
	defer clear(scalar)
	secret.Do(func() {
		key, err := ecdsa.ParseRawPrivateKey(curveRows[k.curve].std(), scalar)
		if err != nil {
			return // the scalar was checked
		}
		k.key = key
		_, _ = ecdsa.SignASN1(rand.Reader, key, make([]byte, 32)) // what the library keeps belongs here, too
	})
}

// sideBySide turns a signature in DER to r and s, each of the size of the curve.
func (c Curve) sideBySide(der []byte) ([]byte, error) {
	var r, s big.Int
	var inner cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) {
		return nil, fmt.Errorf("signature: %w", ErrData)
	}
	signature := make([]byte, 2*c.Size())
	r.FillBytes(signature[:c.Size()])
	s.FillBytes(signature[c.Size():])
	return signature, nil
}

func (k *ECPublic) verify(digest, signature []byte) error {
	if k.curve == Secp256k1 {
		return verifySecp256k1(k.point, digest, signature)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curveRows[k.curve].std(), k.point)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	r, s := number(signature[:k.curve.Size()]), number(signature[k.curve.Size():])
	var der cryptobyte.Builder
	der.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	if !ecdsa.VerifyASN1(key, digest, der.BytesOrPanic()) {
		return ErrSignature
	}
	return nil
}
