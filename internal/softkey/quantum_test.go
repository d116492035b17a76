// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto/sha3"
	"testing"

	"filippo.io/mldsa"
)

func TestMLKEM(t *testing.T) {
	for set := range kemRows {
		k := need[*MLKEM](t)(GenerateMLKEM(KEM(set)))
		if k.Set() != KEM(set) || k.PublicMLKEM().Set() != KEM(set) || len(k.PublicMLKEM().Raw()) != KEM(set).PublicSize() {
			t.Errorf("%s: %d bytes", k.Set(), len(k.PublicMLKEM().Raw()))
		}
		shared, ciphertext := k.PublicMLKEM().Encapsulate()
		got, err := k.Decapsulate(ciphertext)
		wanted(t, "shared secret", got, err, shared)
		if len(shared) != SharedMLKEM || len(ciphertext) != KEM(set).CiphertextSize() {
			t.Errorf("%d and %d bytes", len(shared), len(ciphertext))
		}
		ciphertext[7] ^= 1
		got, err = k.Decapsulate(ciphertext)
		if err != nil || bytes.Equal(got, shared) {
			t.Errorf("changed: %x, %v", got, err)
		}
		_, err = k.Decapsulate(ciphertext[1:])
		refused(t, "shorter", err, ErrLength)
		again := need[*MLKEM](t)(NewMLKEM(KEM(set), k.Seed()))
		wanted(t, "public key", again.PublicMLKEM().Raw(), nil, k.PublicMLKEM().Raw())
		badMLKEM(t, k)
	}
	for _, set := range []KEM{-1, 2} {
		_, err := GenerateMLKEM(set)
		refused(t, set.String(), err, ErrUnsupported)
		_, err = NewMLKEMPublic(set, nil)
		refused(t, set.String(), err, ErrUnsupported)
	}
}

func badMLKEM(t *testing.T, k *MLKEM) {
	t.Helper()
	for _, n := range []int{0, 32, 63, 65} {
		_, err := NewMLKEM(k.Set(), make([]byte, n))
		refused(t, "seed", err, ErrKey)
	}
	public := k.PublicMLKEM().Raw()
	_, err := NewMLKEMPublic(k.Set(), public[1:])
	refused(t, "shorter", err, ErrKey)
	_, err = NewMLKEMPublic(k.Set(), bytes.Repeat([]byte{0xff}, len(public)))
	refused(t, "coefficients that are too large", err, ErrKey)
	hashed := sha3.Sum256(public)
	expanded := append(make([]byte, len(public)-32), public...)
	expanded = append(append(expanded, hashed[:]...), k.Seed()[32:]...)
	if err := k.Matches(expanded); err != nil {
		t.Error(err)
	}
	expanded[len(expanded)-1] ^= 1
	refused(t, "another z", k.Matches(expanded), ErrKey)
	refused(t, "nothing", k.Matches(nil), ErrKey)
}

func TestMLDSA(t *testing.T) {
	message := []byte("message")
	for set := range dsaRows {
		k := need[*MLDSA](t)(GenerateMLDSA(DSA(set)))
		public := k.PublicMLDSA()
		if k.Set() != DSA(set) || public.Set() != DSA(set) || len(public.Raw()) != DSA(set).PublicSize() {
			t.Errorf("%s: %d bytes", k.Set(), len(public.Raw()))
		}
		for _, context := range [][]byte{nil, []byte("context"), make([]byte, 255)} {
			verify := func() (Verifier, error) { return public.Verify(context) }
			hedged := signs(t, k.Set().String(), func() (Signer, error) { return k.SignHedged(context) }, verify, message)
			fixed := signs(t, k.Set().String(), func() (Signer, error) { return k.SignDeterministic(context) }, verify, message)
			signer, err := k.SignDeterministic(context)
			wanted(t, "once more", signed(t, signer, err, message), nil, fixed)
			if bytes.Equal(hedged, fixed) || len(hedged) != DSA(set).SignatureSize() {
				t.Errorf("%s: the signature that is always the same", k.Set())
			}
			want := need[[]byte](t)(k.key.SignDeterministic(message, &mldsa.Options{Context: string(context)}))
			wanted(t, "by the library", fixed, nil, want)
		}
		verifier, err := public.Verify([]byte("another"))
		signer, signErr := k.SignHedged([]byte("context"))
		if err := verified(verifier, err, message, signed(t, signer, signErr, message)); err != ErrSignature {
			t.Errorf("another context: %v", err)
		}
		badMLDSA(t, k)
	}
	for _, set := range []DSA{-1, 3} {
		_, err := GenerateMLDSA(set)
		refused(t, set.String(), err, ErrUnsupported)
		_, err = NewMLDSAPublic(set, nil)
		refused(t, set.String(), err, ErrUnsupported)
	}
}

func badMLDSA(t *testing.T, k *MLDSA) {
	t.Helper()
	for _, n := range []int{0, 31, 33} {
		_, err := NewMLDSA(k.Set(), make([]byte, n))
		refused(t, "seed", err, ErrKey)
	}
	_, err := NewMLDSAPublic(k.Set(), k.PublicMLDSA().Raw()[1:])
	refused(t, "shorter", err, ErrKey)
	_, err = k.SignHedged(make([]byte, 256))
	refused(t, "context", err, ErrParameter)
	_, err = k.PublicMLDSA().Verify(make([]byte, 256))
	refused(t, "context", err, ErrParameter)
	public := k.PublicMLDSA().Raw()
	expanded := make([]byte, expandedMLDSA[k.Set()])
	copy(expanded, public[:32])
	copy(expanded[64:], sha3.SumSHAKE256(public, 64))
	if err := k.Matches(expanded); err != nil {
		t.Error(err)
	}
	expanded[64] ^= 1
	refused(t, "another public key", k.Matches(expanded), ErrKey)
	refused(t, "nothing", k.Matches(nil), ErrKey)
}
