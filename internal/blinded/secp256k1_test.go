// SPDX-License-Identifier: Apache-2.0

package blinded_test

import (
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"libzk_pkcs11/internal/blinded"
)

// TestAgainstLibrary: what is blinded gives what the library gives without.
func TestAgainstLibrary(t *testing.T) {
	for range 20 {
		private, err := secp256k1.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		var public, shared, want secp256k1.JacobianPoint
		blinded.BaseMult(&private.Key, &public)
		if !secp256k1.NewPublicKey(&public.X, &public.Y).IsEqual(private.PubKey()) {
			t.Fatal("BaseMult gives another public key")
		}
		secp256k1.ScalarMultNonConst(&private.Key, &public, &want)
		want.ToAffine()
		blinded.Mult(&private.Key, private.PubKey(), &shared)
		if !shared.X.Equals(&want.X) || !shared.Y.Equals(&want.Y) {
			t.Fatal("Mult gives another point")
		}
		inverse := private.Key
		blinded.Invert(&inverse)
		var one secp256k1.ModNScalar
		if one.SetInt(1); !inverse.Mul(&private.Key).Equals(&one) {
			t.Fatal("Invert gives no inverse")
		}
	}
}
