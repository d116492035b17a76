// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"bytes"
	"crypto"
	"testing"
)

// TestEdDSAVectors has one each of RFC 8032, sections 7.1 to 7.3.
func TestEdDSAVectors(t *testing.T) {
	for _, v := range []struct {
		seed, public, message string
		EdDSA
		want string
	}{
		{
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", EdDSA{},
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6", "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292", "f726936d19c800494e3fdaff20b276a8",
			EdDSA{Context: []byte("foo")},
			"55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
		},
		{
			"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "616263", EdDSA{Prehash: true},
			"98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
		},
	} {
		k := need[*Edwards](t)(NewEdwards(unhex(t, v.seed)))
		wanted(t, "public key", k.PublicEdwards().Raw(), nil, unhex(t, v.public))
		signature := signs(t, "EdDSA", func() (Signer, error) { return k.Sign(v.EdDSA) }, func() (Verifier, error) { return k.PublicEdwards().Verify(v.EdDSA) }, unhex(t, v.message))
		wanted(t, "signature", signature, nil, unhex(t, v.want))
		verifier, err := k.PublicEdwards().Verify(EdDSA{Prehash: v.Prehash, Context: []byte("another")})
		if err := verified(verifier, err, unhex(t, v.message), signature); err != ErrSignature {
			t.Errorf("another context: %v", err)
		}
	}
	_, err := GenerateEdwards().Sign(EdDSA{Context: make([]byte, 256)})
	refused(t, "context", err, ErrParameter)
	_, err = GenerateEdwards().PublicEdwards().Verify(EdDSA{Prehash: true, Context: make([]byte, 256)})
	refused(t, "context", err, ErrParameter)
}

func TestEdwardsKeys(t *testing.T) {
	k := GenerateEdwards()
	raw := k.PublicEdwards().Raw()
	again := need[*Edwards](t)(NewEdwards(k.Value()))
	wanted(t, "public key", again.PublicEdwards().Raw(), nil, raw)
	bits := append([]byte{3, 33, 0}, raw...)
	for _, form := range [][]byte{raw, k.PublicEdwards().Point(), bits} {
		public, err := NewEdwardsPublic(form)
		if err != nil || !bytes.Equal(public.Raw(), raw) {
			t.Errorf("%x: %v", form, err)
		}
	}
	for _, n := range []int{0, 31, 33, 64} {
		_, err := NewEdwards(make([]byte, n))
		refused(t, "seed", err, ErrKey)
		_, err = NewEdwardsPublic(make([]byte, n))
		refused(t, "public key", err, ErrKey)
	}
	off := append([]byte{2}, make([]byte, 31)...)
	_, err := NewEdwardsPublic(off)
	refused(t, "off the curve", err, ErrKey)
}

func TestMontgomeryKeys(t *testing.T) {
	a, b := need[*Montgomery](t)(GenerateMontgomery()), need[*Montgomery](t)(GenerateMontgomery())
	ours := need[[]byte](t)(a.Agree(Agreement{Peer: b.PublicMontgomery().Raw()}, 0))
	theirs, err := b.Agree(Agreement{Peer: a.PublicMontgomery().Point()}, 0)
	wanted(t, "X25519", theirs, err, ours)
	got, err := a.Agree(Agreement{b.PublicMontgomery().Raw(), crypto.SHA256, []byte("info")}, 80)
	want, _ := deriveX963(crypto.SHA256, ours, []byte("info"), 80)
	wanted(t, "X25519 and X9.63", got, err, want)
	again := need[*Montgomery](t)(NewMontgomery(a.Value()))
	wanted(t, "public key", again.PublicMontgomery().Raw(), nil, a.PublicMontgomery().Raw())
	for _, n := range []int{0, 31, 33} {
		_, err := NewMontgomery(make([]byte, n))
		refused(t, "private key", err, ErrKey)
		_, err = NewMontgomeryPublic(make([]byte, n))
		refused(t, "public key", err, ErrKey)
		_, err = a.Agree(Agreement{Peer: make([]byte, n)}, 0)
		refused(t, "public key", err, ErrKey)
	}
	_, err = a.Agree(Agreement{Peer: make([]byte, 32)}, 0)
	refused(t, "a point of low order", err, ErrKey)
	_, err = a.Agree(Agreement{Peer: b.PublicMontgomery().Raw(), Info: []byte("info")}, 0)
	refused(t, "info without derivation", err, ErrParameter)
}
