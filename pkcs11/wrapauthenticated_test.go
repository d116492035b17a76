// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"
)

// TestWrapAuthenticated wraps a key with data besides, which unwrapping has to be given.
func TestWrapAuthenticated(t *testing.T) {
	x := newTrial(t)
	kek, err := x.GenerateKey(x.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, uint(32), CKA_WRAP, true, CKA_UNWRAP, true))
	x.ok(err)
	key, about := x.public[aesKeys], []byte("about the key")
	p := &GCMWrapParams{IV: make([]byte, 12), Generator: CKG_GENERATE_RANDOM, TagBits: 128}
	m := &Mechanism{Type: CKM_AES_GCM, Params: p}
	ask := Output[byte]{Length: new(uint)}
	x.ok(x.WrapKeyAuthenticated(x.h, m, kek, key, about, ask))
	if *ask.Length != 48 || !bytes.Equal(p.IV, make([]byte, 12)) {
		t.Errorf("size %d, IV %x", *ask.Length, p.IV)
	}
	out := room(48)
	x.ok(x.WrapKeyAuthenticated(x.h, m, kek, key, about, out))
	if bytes.Equal(p.IV, make([]byte, 12)) {
		t.Error("no IV was made")
	}
	template := is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, uint(CKK_AES), CKA_SENSITIVE, false)
	again, err := x.UnwrapKeyAuthenticated(x.h, m, kek, out.Buffer, template, about)
	x.ok(err)
	if !bytes.Equal(x.value(again, CKA_VALUE), x.value(key, CKA_VALUE)) {
		t.Error("another key")
	}
	_, err = x.UnwrapKeyAuthenticated(x.h, m, kek, out.Buffer, template, []byte("about another"))
	want(t, "other data", err, CKR_WRAPPED_KEY_INVALID)
	for i := range out.Buffer {
		changed := bytes.Clone(out.Buffer)
		changed[i] ^= 1
		_, err = x.UnwrapKeyAuthenticated(x.h, m, kek, changed, template, about)
		want(t, "changed", err, CKR_WRAPPED_KEY_INVALID)
	}
	// The plain functions have the same form.
	inParameter := &Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: p.IV, AAD: about, TagBits: 128}}
	_, err = x.UnwrapKey(x.h, inParameter, kek, out.Buffer, template)
	x.ok(err)
	_, err = x.UnwrapKeyAuthenticated(x.h, inParameter, kek, out.Buffer, template, nil)
	x.ok(err)
	_, err = x.UnwrapKeyAuthenticated(x.h, inParameter, kek, out.Buffer, template, []byte("twice"))
	want(t, "data in both places", err, CKR_MECHANISM_PARAM_INVALID)
}

// TestWrapAuthenticatedRefusals: other mechanisms, keys and parameters.
func TestWrapAuthenticatedRefusals(t *testing.T) {
	x := newTrial(t)
	kek, err := x.GenerateKey(x.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, uint(32), CKA_WRAP, true, CKA_UNWRAP, false))
	x.ok(err)
	key, m := x.public[aesKeys], &Mechanism{Type: CKM_AES_GCM, Params: &GCMWrapParams{IV: make([]byte, 12), TagBits: 128}}
	wrap := func(m *Mechanism, kek, key uint) error {
		return x.WrapKeyAuthenticated(x.h, m, kek, key, nil, room(64))
	}
	want(t, "no mechanism", wrap(nil, kek, key), CKR_ARGUMENTS_BAD)
	want(t, "no AEAD", wrap(&Mechanism{Type: CKM_AES_KEY_WRAP}, kek, key), CKR_MECHANISM_INVALID)
	want(t, "no parameter", wrap(&Mechanism{Type: CKM_AES_GCM}, kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "a tag of no bits", wrap(&Mechanism{Type: CKM_AES_GCM, Params: &GCMWrapParams{IV: make([]byte, 12)}}, kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "no wrapping key", wrap(m, 0, key), CKR_WRAPPING_KEY_HANDLE_INVALID)
	want(t, "no key", wrap(m, kek, 0), CKR_KEY_HANDLE_INVALID)
	want(t, "not to be extracted", wrap(m, kek, x.private[rsaKeys]), CKR_KEY_UNEXTRACTABLE)
	want(t, "no unwrapping key", func() error {
		_, err := x.UnwrapKeyAuthenticated(x.h, m, kek, make([]byte, 48), nil, nil)
		return err
	}(), CKR_KEY_FUNCTION_NOT_PERMITTED)
	f := newUser(t)
	want(t, "no sealed keys", f.WrapKeyAuthenticated(f.h, m, 1, 1, nil, room(64)), CKR_FUNCTION_NOT_SUPPORTED)
}
