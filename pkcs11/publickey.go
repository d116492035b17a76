// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"sync"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
)

// publicKey is a public key ready for verifying signatures, which needs no
// device. It is shared by all who verify with it.
type publicKey struct {
	curve  *curve
	public []byte // as in scm.Key
	check  func() func(input, signature []byte) bool
}

// publicKeyOf reads the public key of a public key object.
func publicKeyOf(a attributes) (*publicKey, error) {
	c, err := curveOf(a[CKA_EC_PARAMS])
	if err != nil {
		return nil, because(err, CKA_EC_PARAMS, "is no curve that is known here")
	}
	public, err := c.publicOf(a[CKA_EC_POINT])
	if err != nil {
		return nil, because(err, CKA_EC_POINT, "is no point of the curve")
	}
	k := &publicKey{curve: c, public: public}
	k.check = sync.OnceValue(k.checker)
	return k, nil
}

// verify tells whether a signature of 64 bytes is one of the input: a digest of
// any length for ECDSA, the message for EdDSA.
func (k *publicKey) verify(input, signature []byte) bool {
	return k.check()(input, signature)
}

// checker parses the key for its curve.
func (k *publicKey) checker() func(input, signature []byte) bool {
	switch k.curve.curve {
	case scm.P256:
		return k.p256()
	case scm.Secp256k1:
		return k.secp256k1()
	case scm.Ed25519:
		return func(message, signature []byte) bool { return ed25519.Verify(k.public, message, signature) }
	}
	return func(_, _ []byte) bool { return false }
}

func (k *publicKey) p256() func(digest, signature []byte) bool {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k.curve.raw(k.public))
	return func(digest, signature []byte) bool {
		return err == nil && ecdsa.VerifyASN1(key, digest, derSignature(signature))
	}
}

func (k *publicKey) secp256k1() func(digest, signature []byte) bool {
	key, err := secp256k1.ParsePubKey(k.curve.raw(k.public))
	return func(digest, signature []byte) bool {
		var r, s secp256k1.ModNScalar
		tooLarge := r.SetByteSlice(signature[:32])
		tooLarge = s.SetByteSlice(signature[32:]) || tooLarge
		if err != nil || tooLarge {
			return false
		}
		var buffer [32]byte
		return secp256k1ecdsa.NewSignature(&r, &s).Verify(fit(&buffer, digest), key)
	}
}
