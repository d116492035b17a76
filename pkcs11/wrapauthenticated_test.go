// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"
)

// wrappingKey makes a key of AES that wraps, and unwraps if it says so.
func wrappingKey(x *trial, unwraps bool) uint {
	kek, err := x.GenerateKey(x.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, uint(32), CKA_WRAP, true, CKA_UNWRAP, unwraps))
	x.ok(err)
	return kek
}

// visibleAES is the template of a key of AES that is unwrapped, whose value can be seen.
var visibleAES = secretTemplate(CKK_AES, CKA_SENSITIVE, false)

// TestWrapAuthenticated wraps a key with data besides, which unwrapping has to be given.
func TestWrapAuthenticated(t *testing.T) {
	x := newTrial(t)
	kek, key, about := wrappingKey(x, true), x.public[aesKeys], []byte("about the key")
	p := &GCMMessage{IV: make([]byte, 12), Generator: CKG_GENERATE_RANDOM, Tag: make([]byte, 16), TagBits: 128}
	m := &Mechanism{Type: CKM_AES_GCM, Params: p}
	ask := Output[byte]{Length: new(uint)}
	x.ok(x.WrapKeyAuthenticated(x.h, m, kek, key, about, ask))
	if *ask.Length != 32 || !bytes.Equal(p.IV, make([]byte, 12)) || !bytes.Equal(p.Tag, make([]byte, 16)) {
		t.Errorf("size %d, IV %x, tag %x", *ask.Length, p.IV, p.Tag)
	}
	want(t, "too small", x.WrapKeyAuthenticated(x.h, m, kek, key, about, room(31)), CKR_BUFFER_TOO_SMALL)
	out := room(32)
	x.ok(x.WrapKeyAuthenticated(x.h, m, kek, key, about, out))
	if bytes.Equal(p.IV, make([]byte, 12)) || bytes.Equal(p.Tag, make([]byte, 16)) {
		t.Error("no IV or no tag was made")
	}
	again, err := x.UnwrapKeyAuthenticated(x.h, m, kek, out.Buffer, visibleAES, about)
	x.ok(err)
	if !bytes.Equal(x.value(again, CKA_VALUE), x.value(key, CKA_VALUE)) {
		t.Error("another key")
	}
	_, err = x.UnwrapKeyAuthenticated(x.h, m, kek, out.Buffer, visibleAES, []byte("about another"))
	want(t, "other data", err, CKR_WRAPPED_KEY_INVALID)
	for _, changed := range [][]byte{out.Buffer, p.Tag, p.IV} {
		for i := range changed {
			changed[i] ^= 1
			_, err = x.UnwrapKeyAuthenticated(x.h, m, kek, out.Buffer, visibleAES, about)
			want(t, "changed", err, CKR_WRAPPED_KEY_INVALID)
			changed[i] ^= 1
		}
	}
}

// TestWrapByGCM wraps a key with an IV that is made, and the tag at the end.
func TestWrapByGCM(t *testing.T) {
	x := newTrial(t)
	kek, key, about := wrappingKey(x, true), x.public[aesKeys], []byte("about the key")
	p := &GCMWrapParams{IV: make([]byte, 12), Generator: CKG_GENERATE, AAD: about, TagBits: 128}
	m := &Mechanism{Type: CKM_AES_GCM, Params: p}
	ask := Output[byte]{Length: new(uint)}
	x.ok(x.WrapKey(x.h, m, kek, key, ask))
	out := room(int(*ask.Length))
	x.ok(x.WrapKey(x.h, m, kek, key, out))
	if len(out.Buffer) != 48 || bytes.Equal(p.IV, make([]byte, 12)) {
		t.Errorf("size %d, IV %x", len(out.Buffer), p.IV)
	}
	given := &Mechanism{Type: CKM_AES_GCM, Params: &GCMParams{IV: p.IV, AAD: about, TagBits: 128}}
	for _, how := range []*Mechanism{m, given} {
		again, err := x.UnwrapKey(x.h, how, kek, out.Buffer, visibleAES)
		x.ok(err)
		if !bytes.Equal(x.value(again, CKA_VALUE), x.value(key, CKA_VALUE)) {
			t.Error("another key")
		}
	}
	apart := &Mechanism{Type: CKM_AES_GCM, Params: &GCMMessage{IV: p.IV, Tag: out.Buffer[32:], TagBits: 128}}
	_, err := x.UnwrapKeyAuthenticated(x.h, apart, kek, out.Buffer[:32], visibleAES, about)
	x.ok(err)
	p.Generator = CKG_NO_GENERATE
	other := room(48)
	x.ok(x.WrapKey(x.h, given, kek, key, other))
	x.ok(x.WrapKey(x.h, m, kek, key, out))
	if !bytes.Equal(out.Buffer, other.Buffer) {
		t.Error("the caller's IV gives two results")
	}
	want(t, "to encrypt", x.EncryptInit(x.h, m, x.private[aesKeys]), CKR_MECHANISM_PARAM_INVALID)
}

// TestWrapAuthenticatedRefusals: other mechanisms, keys and parameters.
func TestWrapAuthenticatedRefusals(t *testing.T) {
	x := newTrial(t)
	kek, key := wrappingKey(x, false), x.public[aesKeys]
	m := &Mechanism{Type: CKM_AES_GCM, Params: &GCMMessage{IV: make([]byte, 12), Tag: make([]byte, 16), TagBits: 128}}
	wrap := func(m *Mechanism, kek, key uint) error {
		return x.WrapKeyAuthenticated(x.h, m, kek, key, nil, room(64))
	}
	gcm := func(p any) *Mechanism { return &Mechanism{Type: CKM_AES_GCM, Params: p} }
	want(t, "no mechanism", wrap(nil, kek, key), CKR_ARGUMENTS_BAD)
	want(t, "no AEAD", wrap(&Mechanism{Type: CKM_AES_KEY_WRAP}, kek, key), CKR_MECHANISM_INVALID)
	want(t, "no parameter", wrap(gcm(nil), kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "that of C_WrapKey", wrap(gcm(&GCMWrapParams{IV: make([]byte, 12), TagBits: 128}), kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "no IV", wrap(gcm(&GCMMessage{Tag: make([]byte, 16), TagBits: 128}), kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "no room for the tag", wrap(gcm(&GCMMessage{IV: make([]byte, 12), TagBits: 128}), kek, key), CKR_MECHANISM_PARAM_INVALID)
	want(t, "a tag of no bits", wrap(gcm(&GCMMessage{IV: make([]byte, 12), Tag: make([]byte, 16)}), kek, key), CKR_MECHANISM_PARAM_INVALID)
	for _, counter := range []uint{CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR} {
		p := &GCMMessage{IV: make([]byte, 12), Generator: counter, Tag: make([]byte, 16), TagBits: 128}
		want(t, "a counter of one", wrap(gcm(p), kek, key), CKR_MECHANISM_PARAM_INVALID)
		plain := gcm(&GCMWrapParams{IV: p.IV, Generator: counter, TagBits: 128})
		want(t, "a counter of one", x.WrapKey(x.h, plain, kek, key, room(64)), CKR_MECHANISM_PARAM_INVALID)
	}
	want(t, "no wrapping key", wrap(m, 0, key), CKR_WRAPPING_KEY_HANDLE_INVALID)
	want(t, "no key", wrap(m, kek, 0), CKR_KEY_HANDLE_INVALID)
	want(t, "not to be extracted", wrap(m, kek, x.private[rsaKeys]), CKR_KEY_UNEXTRACTABLE)
	_, err := x.UnwrapKeyAuthenticated(x.h, m, kek, make([]byte, 32), nil, nil)
	want(t, "no unwrapping key", err, CKR_KEY_FUNCTION_NOT_PERMITTED)
	f := newUser(t)
	want(t, "no sealed keys", f.WrapKeyAuthenticated(f.h, m, 1, 1, nil, room(64)), CKR_FUNCTION_NOT_SUPPORTED)
}
