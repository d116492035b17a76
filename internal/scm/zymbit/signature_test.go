// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// inDER is an ECDSA signature as most of the world has it.
func inDER(t *testing.T, sig []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestFormsOfSignatures: DER is taken; of the other forms it is told what they look like,
// and none of their bytes.
func TestFormsOfSignatures(t *testing.T) {
	f := newFake(t)
	digest := sha256.Sum256([]byte("form"))
	again := sha256.Sum256(digest[:])
	for _, c := range []scm.Curve{scm.P256, scm.Secp256k1, scm.Ed25519} {
		k, err := f.Generate(c)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := f.Sign(k.Slot, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		hashed, err := f.Sign(k.Slot, again[:])
		if err != nil {
			t.Fatal(err)
		}
		got, err := readSignature(k, digest[:], sig)
		if err != nil || !slices.Equal(got, sig) {
			t.Errorf("%s: %v", c, err)
		}
		if c != scm.Ed25519 {
			got, err = readSignature(k, digest[:], inDER(t, sig))
			if err != nil || !slices.Equal(got, sig) {
				t.Errorf("%s in DER: %v", c, err)
			}
		}
		for given, looks := range map[string]string{
			"":                                   "empty",
			string(sig[:63]):                     "of a length that no form has",
			string(append(slices.Clone(sig), 1)): "valid but for one byte at an end",
			string(append([]byte{1}, sig...)):    "valid but for one byte at an end",
			string(make([]byte, 64)):             "zeros",
			string(slices.Concat(sig[32:], sig[:32])): "valid with its halves exchanged",
			string(backwards(sig)):                    "valid with each half backwards",
			string(hashed):                            "valid over the SHA-256 of what was to be signed",
			strings.Repeat("x", 64):                   "of the right length, over something else or by another key",
		} {
			_, err := readSignature(k, digest[:], []byte(given))
			wantError(t, err, scm.ErrDevice)
			if err != nil && !strings.Contains(err.Error(), "("+looks+")") {
				t.Errorf("%s: %v, want %s", c, err, looks)
			}
		}
	}
}
