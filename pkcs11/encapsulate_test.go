// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/mlkem"
	"testing"
)

// mlkemPair makes a key pair that encapsulates and decapsulates.
func (f *fixture) mlkemPair(set uint, more ...any) (public, private uint) {
	f.Helper()
	public, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN},
		append(is(CKA_PARAMETER_SET, set, CKA_ENCAPSULATE, true), is(more...)...), append(is(CKA_DECAPSULATE, true), is(more...)...))
	f.ok(err)
	return public, private
}

// TestEncapsulate: both sides come to the same key, of the kind that the template says, and the library to the same secret.
func TestEncapsulate(t *testing.T) {
	f := newSealing(t)
	m := &Mechanism{Type: CKM_ML_KEM}
	for set, size := range map[uint]int{CKP_ML_KEM_768: mlkem.CiphertextSize768, CKP_ML_KEM_1024: mlkem.CiphertextSize1024} {
		for _, token := range []bool{true, false} {
			public, private := f.mlkemPair(set, CKA_TOKEN, token)
			asked := sizeOnly()
			_, err := f.EncapsulateKey(f.h, m, public, nil, asked)
			f.ok(err)
			if int(*asked.Length) != size {
				t.Errorf("the size is %d, want %d", *asked.Length, size)
			}
			_, err = f.EncapsulateKey(f.h, m, public, nil, room(size-1))
			want(t, "too small", err, CKR_BUFFER_TOO_SMALL)
			list := is(CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE_LEN, uint(16), CKA_EXTRACTABLE, true, CKA_SENSITIVE, false)
			out, text := buffer(size)
			ours, err := f.EncapsulateKey(f.h, m, public, list, out)
			f.ok(err)
			theirs, err := f.DecapsulateKey(f.h, m, private, list, text)
			f.ok(err)
			f.reads(theirs, CKA_VALUE, f.read(ours, CKA_VALUE))
			for _, h := range []uint{ours, theirs} {
				for typ, v := range map[uint]any{CKA_LOCAL: false, CKA_ALWAYS_SENSITIVE: false, CKA_NEVER_EXTRACTABLE: false, CKA_VALUE_LEN: uint(16)} {
					f.reads(h, typ, v)
				}
			}
			text[0] ^= 1
			other, err := f.DecapsulateKey(f.h, m, private, list, text)
			f.ok(err)
			if bytes.Equal(f.read(other, CKA_VALUE), f.read(ours, CKA_VALUE)) {
				t.Error("a changed text gives the same key")
			}
			_, err = f.DecapsulateKey(f.h, m, private, list, text[1:])
			want(t, "cut", err, CKR_WRAPPED_KEY_LEN_RANGE)
		}
	}
}

// TestImportMLKEM brings a key in by its seed, whose public key is that of the standard library, and reads it back.
func TestImportMLKEM(t *testing.T) {
	f := newSealing(t)
	seed := bytes.Repeat([]byte{3}, mlkem.SeedSize)
	k, err := mlkem.NewDecapsulationKey768(seed)
	f.ok(err)
	secret, text := k.EncapsulationKey().Encapsulate()
	template := is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_ML_KEM), CKA_PARAMETER_SET, uint(CKP_ML_KEM_768), CKA_SEED, seed,
		CKA_DECAPSULATE, true, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true, CKA_TOKEN, true)
	private := f.create(template)
	f.reads(private, CKA_SEED, seed)
	h, err := f.DecapsulateKey(f.h, &Mechanism{Type: CKM_ML_KEM}, private, is(CKA_EXTRACTABLE, true, CKA_SENSITIVE, false), text)
	f.ok(err)
	f.reads(h, CKA_VALUE, secret)
	for _, hidden := range []bool{true, false} {
		public := f.create(is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_ML_KEM), CKA_PARAMETER_SET, uint(CKP_ML_KEM_768),
			CKA_VALUE, k.EncapsulationKey().Bytes(), CKA_PRIVATE, hidden, CKA_TOKEN, hidden, CKA_ENCAPSULATE, true))
		f.reads(public, CKA_VALUE, k.EncapsulationKey().Bytes())
		f.reads(public, CKA_PUBLIC_KEY_INFO, f.read(private, CKA_PUBLIC_KEY_INFO))
	}
	for name, x := range map[string]struct {
		list []Attribute
		code Error
	}{
		"a short seed":  {exchanged(template, CKA_SEED, seed[1:]), CKR_ATTRIBUTE_VALUE_INVALID},
		"no seed":       {exchanged(template, CKA_SEED, nil), CKR_TEMPLATE_INCOMPLETE},
		"ML-KEM-512":    {exchanged(template, CKA_PARAMETER_SET, encodeULong(CKP_ML_KEM_512)), CKR_PARAMETER_SET_NOT_SUPPORTED},
		"another value": {append(exchanged(template, CKA_SEED, seed), Attribute{CKA_VALUE, make([]byte, 2400)}), CKR_ATTRIBUTE_VALUE_INVALID},
		"a short public key": {is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_ML_KEM), CKA_PARAMETER_SET, uint(CKP_ML_KEM_768),
			CKA_VALUE, make([]byte, 9)), CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		_, err := f.CreateObject(f.h, x.list)
		want(t, name, err, x.code)
	}
	kek := f.wrappingKey(make([]byte, 16))
	wrapped, err := f.wrap(&Mechanism{Type: CKM_AES_KEY_WRAP_KWP}, kek, private)
	f.ok(err)
	again, err := f.UnwrapKey(f.h, &Mechanism{Type: CKM_AES_KEY_WRAP_KWP}, kek, wrapped, is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_ML_KEM), CKA_SENSITIVE, false))
	f.ok(err)
	f.reads(again, CKA_SEED, seed)
	f.reads(again, CKA_PARAMETER_SET, uint(CKP_ML_KEM_768))
}

// TestEncapsulateOff: without sealed keys there is none.
func TestEncapsulateOff(t *testing.T) {
	f := newUser(t)
	_, err := f.EncapsulateKey(f.h, &Mechanism{Type: CKM_ML_KEM}, 1, nil, room(2000))
	want(t, "encapsulate", err, CKR_FUNCTION_NOT_SUPPORTED)
	_, err = f.DecapsulateKey(f.h, &Mechanism{Type: CKM_ML_KEM}, 1, nil, nil)
	want(t, "decapsulate", err, CKR_FUNCTION_NOT_SUPPORTED)
}

// TestEncapsulateByDefault: keys of ML-KEM are for that when nobody says, and for nothing else.
func TestEncapsulateByDefault(t *testing.T) {
	f := newSealing(t)
	public, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN}, is(CKA_PARAMETER_SET, uint(CKP_ML_KEM_768)), nil)
	f.ok(err)
	f.reads(public, CKA_ENCAPSULATE, true)
	f.reads(public, CKA_VERIFY, false)
	f.reads(private, CKA_DECAPSULATE, true)
	f.reads(private, CKA_SIGN, false)
}

// TestEncapsulateTemplate: each half says what comes of it.
func TestEncapsulateTemplate(t *testing.T) {
	f, m := newSealing(t), &Mechanism{Type: CKM_ML_KEM}
	demands := func(label string) []byte { return EncodeTemplate(is(CKA_LABEL, label, CKA_EXTRACTABLE, false)) }
	public, private, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_ML_KEM_KEY_PAIR_GEN},
		is(CKA_PARAMETER_SET, uint(CKP_ML_KEM_768), CKA_ENCAPSULATE_TEMPLATE, demands("ours")), is(CKA_DECAPSULATE_TEMPLATE, demands("theirs")))
	f.ok(err)
	out, text := buffer(mlkem.CiphertextSize768)
	ours, err := f.EncapsulateKey(f.h, m, public, nil, out)
	f.ok(err)
	theirs, err := f.DecapsulateKey(f.h, m, private, nil, text)
	f.ok(err)
	for h, label := range map[uint]string{ours: "ours", theirs: "theirs"} {
		f.reads(h, CKA_LABEL, label)
		f.reads(h, CKA_EXTRACTABLE, false)
	}
	_, err = f.EncapsulateKey(f.h, m, public, is(CKA_EXTRACTABLE, true), out)
	want(t, "a conflict", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.DecapsulateKey(f.h, m, private, is(CKA_LABEL, "ours"), text)
	want(t, "a conflict", err, CKR_TEMPLATE_INCONSISTENT)
}

// TestDecapsulateCodes: the private key has the codes of a key that unwraps (section 5.18.9), the public one those of any key.
func TestDecapsulateCodes(t *testing.T) {
	f, m := newSealing(t), &Mechanism{Type: CKM_ML_KEM}
	public, private := f.mlkemPair(CKP_ML_KEM_768)
	for key, code := range map[uint]Error{public: CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, 12345: CKR_UNWRAPPING_KEY_HANDLE_INVALID} {
		_, err := f.DecapsulateKey(f.h, m, key, nil, make([]byte, mlkem.CiphertextSize768))
		want(t, "decapsulate", err, code)
	}
	for key, code := range map[uint]Error{private: CKR_KEY_TYPE_INCONSISTENT, 12345: CKR_KEY_HANDLE_INVALID} {
		_, err := f.EncapsulateKey(f.h, m, key, nil, room(mlkem.CiphertextSize768))
		want(t, "encapsulate", err, code)
	}
}
