// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	koblitz "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"libzk_pkcs11/internal/scm"
)

// isValid reports whether sig, of 64 bytes, is a signature of the key over the
// digest.
func isValid(k scm.Key, digest, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	switch k.Curve {
	case scm.P256:
		return validP256(k.Public, digest, sig)
	case scm.Secp256k1:
		return validSecp256k1(k.Public, digest, sig)
	}
	return k.Curve == scm.Ed25519 && ed25519.Verify(k.Public, digest, sig)
}

func validP256(public, digest, sig []byte) bool {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed(public))
	if err != nil {
		return false
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	return ecdsa.Verify(key, digest, r, s)
}

func validSecp256k1(public, digest, sig []byte) bool {
	key, err := secp256k1.ParsePubKey(uncompressed(public))
	if err != nil {
		return false
	}
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:]) || r.IsZero() || s.IsZero() {
		return false
	}
	return koblitz.NewSignature(&r, &s).Verify(digest, key)
}
