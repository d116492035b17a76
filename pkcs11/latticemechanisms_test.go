// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/softkey"
)

func mldsaExamples(all map[uint]examples) {
	with := func(hedge uint, context int) Mechanism {
		return Mechanism{Type: CKM_ML_DSA, Params: &SignContext{hedge, make([]byte, context)}}
	}
	all[CKM_ML_DSA] = examples{
		right: []Mechanism{{Type: CKM_ML_DSA}, with(CKH_HEDGE_PREFERRED, 0), with(CKH_HEDGE_REQUIRED, 255), with(CKH_DETERMINISTIC_REQUIRED, 3)},
		wrong: []Mechanism{with(3, 0), with(0, 256), {Type: CKM_ML_DSA, Parameter: []byte{1}}, {Type: CKM_ML_DSA, Params: &EdDSAParams{}}},
	}
}

// TestMLDSA makes keys of each parameter set, shows what is to be seen of them, and signs with a context.
func TestMLDSA(t *testing.T) {
	f := newSealing(t)
	for number, set := range signatureSets {
		public, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_DSA_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, number, CKA_TOKEN, true),
			is(CKA_TOKEN, true, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true))
		f.ok(err)
		f.reads(private, CKA_PARAMETER_SET, number)
		raw := f.value(public, CKA_VALUE)
		k, err := softkey.NewMLDSA(set, f.value(private, CKA_SEED))
		f.ok(err)
		if !bytes.Equal(k.PublicMLDSA().Raw(), raw) || !bytes.Equal(f.value(private, CKA_PUBLIC_KEY_INFO), f.value(public, CKA_PUBLIC_KEY_INFO)) {
			t.Errorf("%s: the halves differ", set)
		}
		m := &Mechanism{Type: CKM_ML_DSA, Params: &SignContext{CKH_DETERMINISTIC_REQUIRED, []byte("context")}}
		signature := f.signLong(m, private, digest32)
		if !bytes.Equal(signature, f.signLong(m, private, digest32)) || len(signature) != set.SignatureSize() {
			t.Errorf("%s: deterministic signatures differ", set)
		}
		f.ok(f.VerifyInit(f.h, m, public))
		want(t, "verify", f.Verify(f.h, digest32, signature), CKR_OK)
		f.ok(f.VerifyInit(f.h, &Mechanism{Type: CKM_ML_DSA}, public))
		want(t, "without the context", f.Verify(f.h, digest32, signature), CKR_SIGNATURE_INVALID)
	}
}

// TestLatticeImport brings keys in by their seed.
func TestLatticeImport(t *testing.T) {
	f := newSealing(t)
	k, err := softkey.GenerateMLDSA(softkey.MLDSA44)
	f.ok(err)
	of := func(class uint, more ...any) []Attribute {
		return append(is(CKA_CLASS, class, CKA_KEY_TYPE, uint(CKK_ML_DSA), CKA_PARAMETER_SET, uint(CKP_ML_DSA_44)), is(more...)...)
	}
	private := f.create(of(CKO_PRIVATE_KEY, CKA_SEED, k.Seed()))
	public := f.create(of(CKO_PUBLIC_KEY, CKA_VALUE, k.PublicMLDSA().Raw()))
	m := &Mechanism{Type: CKM_ML_DSA}
	signature := f.signLong(m, private, digest32)
	want(t, "verify", f.verify(CKM_ML_DSA, public, digest32, signature), CKR_OK)
	for _, list := range [][]Attribute{
		of(CKO_PRIVATE_KEY, CKA_SEED, k.Seed()[1:]), of(CKO_PRIVATE_KEY, CKA_SEED, k.Seed(), CKA_VALUE, make([]byte, 2560)),
		of(CKO_PUBLIC_KEY, CKA_VALUE, k.PublicMLDSA().Raw()[1:]),
	} {
		_, err := f.CreateObject(f.h, list)
		want(t, "no key", err, CKR_ATTRIBUTE_VALUE_INVALID)
	}
	_, _, err = f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, uint(CKP_ML_KEM_512)), nil)
	want(t, "ML-KEM-512", err, CKR_PARAMETER_SET_NOT_SUPPORTED)
}

// TestMLKEMPair makes keys for encapsulation.
func TestMLKEMPair(t *testing.T) {
	f := newSealing(t)
	for number, set := range encapsulationSets {
		public, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, number), nil)
		f.ok(err)
		f.reads(private, CKA_KEY_TYPE, uint(CKK_ML_KEM))
		if n := len(f.value(public, CKA_VALUE)); n != set.PublicSize() {
			t.Errorf("%s: a public key of %d bytes", set, n)
		}
	}
}
