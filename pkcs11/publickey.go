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
// device. It is shared by all operations that verify with it.
type publicKey struct {
	curve    *curve
	public   []byte          // as in scm.Key
	verifier func() verifier // parses the key once
}

// verifier verifies signatures of 64 bytes with one key.
type verifier interface {
	// verify reports whether a signature is one of the input: a digest of any length for
	// ECDSA, the message for EdDSA.
	verify(input, signature []byte) bool
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
	k.verifier = sync.OnceValue(k.newVerifier)
	return k, nil
}

// verify reports whether a signature of 64 bytes is one of the input.
func (k *publicKey) verify(input, signature []byte) bool {
	return k.verifier().verify(input, signature)
}

// newVerifier parses the key for its curve.
func (k *publicKey) newVerifier() verifier {
	switch k.curve.curve {
	case scm.P256:
		if key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k.curve.rawPoint(k.public)); err == nil {
			return p256Key{key}
		}
	case scm.Secp256k1:
		if key, err := secp256k1.ParsePubKey(k.curve.rawPoint(k.public)); err == nil {
			return secp256k1Key{key}
		}
	case scm.Ed25519:
		return ed25519Key(k.public)
	}
	return noKey{}
}

type p256Key struct{ *ecdsa.PublicKey }

func (k p256Key) verify(digest, signature []byte) bool {
	return ecdsa.VerifyASN1(k.PublicKey, digest, derSignature(signature))
}

type secp256k1Key struct{ *secp256k1.PublicKey }

func (k secp256k1Key) verify(digest, signature []byte) bool {
	var r, s secp256k1.ModNScalar
	tooLarge := r.SetByteSlice(signature[:32])
	tooLarge = s.SetByteSlice(signature[32:]) || tooLarge
	if tooLarge {
		return false
	}
	var buffer [32]byte
	return secp256k1ecdsa.NewSignature(&r, &s).Verify(fitDigest(&buffer, digest), k.PublicKey)
}

type ed25519Key ed25519.PublicKey

func (k ed25519Key) verify(message, signature []byte) bool {
	return ed25519.Verify(ed25519.PublicKey(k), message, signature)
}

// noKey is that of a curve that does not sign, or no point of its curve.
type noKey struct{}

func (noKey) verify(_, _ []byte) bool { return false }
