// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// wrappingKey brings a key of AES in that wraps and unwraps.
func (f *fixture) wrappingKey(value []byte, more ...any) uint {
	f.Helper()
	return f.create(append(is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE, value,
		CKA_WRAP, true, CKA_UNWRAP, true), is(more...)...))
}

// wrap wraps a key into a buffer of the size that it is told.
func (f *fixture) wrap(m *Mechanism, wrapping, key uint) ([]byte, error) {
	f.Helper()
	size := sizeOnly()
	if err := f.WrapKey(f.h, m, wrapping, key, size); err != nil {
		return nil, err
	}
	if n := int(*size.Length); n > 0 {
		want(f, "too small", f.WrapKey(f.h, m, wrapping, key, room(n-1)), CKR_BUFFER_TOO_SMALL)
	}
	out, b := buffer(int(*size.Length))
	err := f.WrapKey(f.h, m, wrapping, key, out)
	return b[:*out.Length], err
}

func secretTemplate(typ uint, more ...any) []Attribute {
	return append(is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, typ), is(more...)...)
}

// wrapsByAES are the mechanisms that wrap by AES and are at hand, with a parameter.
func wrapsByAES() map[string]*Mechanism {
	all := map[string]*Mechanism{}
	for typ, parameter := range map[uint][]byte{
		CKM_AES_KEY_WRAP: nil, CKM_AES_KEY_WRAP_KWP: nil, CKM_AES_KEY_WRAP_PAD: nil, CKM_AES_KEY_WRAP_PKCS7: nil,
		CKM_AES_CBC_PAD: make([]byte, 16), CKM_AES_CBC: make([]byte, 16), CKM_AES_ECB: nil,
	} {
		row := mechanisms[typ]
		if row.wraps() {
			all[MechanismName(typ)] = &Mechanism{Type: typ, Parameter: parameter}
		}
	}
	return all
}

// TestWrapSecrets wraps secret keys and unwraps them again, to the same value.
func TestWrapSecrets(t *testing.T) {
	f := newSealing(t)
	kek := f.wrappingKey(make([]byte, 32))
	for name, m := range wrapsByAES() {
		for _, n := range []int{16, 24, 32, 37} {
			value, typ := bytes.Repeat([]byte{byte(n)}, n), uint(CKK_AES)
			if n == 37 {
				typ = CKK_GENERIC_SECRET
			}
			key := f.create(secretTemplate(typ, CKA_VALUE, value, CKA_SENSITIVE, true))
			wrapped, err := f.wrap(m, kek, key)
			if err != nil {
				t.Fatalf("%s of %d bytes: %v", name, n, err)
			}
			for _, token := range []bool{true, false} {
				again, err := f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(typ, CKA_VALUE_LEN, uint(n), CKA_TOKEN, token))
				f.ok(err)
				f.reads(again, CKA_VALUE, value)
				for typ, v := range map[uint]any{CKA_LOCAL: false, CKA_ALWAYS_SENSITIVE: false, CKA_NEVER_EXTRACTABLE: false, CKA_EXTRACTABLE: true,
					CKA_VALUE_LEN: uint(n), CKA_CHECK_VALUE: f.read(key, CKA_CHECK_VALUE)} {
					f.reads(again, typ, v)
				}
			}
			_, err = f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(typ, CKA_VALUE_LEN, uint(n+17)))
			want(t, name+" with a length beyond", err, CKR_WRAPPED_KEY_LEN_RANGE)
			_, err = f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(typ, CKA_VALUE_LEN, uint(1)))
			want(t, name+" with a length of 1", err, CKR_WRAPPED_KEY_LEN_RANGE)
		}
	}
}

// TestWrapPublished wraps the key of RFC 3394, section 4.1.
func TestWrapPublished(t *testing.T) {
	f := newSealing(t)
	value := func(s string) []byte { b, err := hex.DecodeString(s); f.ok(err); return b }
	kek := f.wrappingKey(value("000102030405060708090a0b0c0d0e0f"))
	key := f.create(secretTemplate(CKK_AES, CKA_VALUE, value("00112233445566778899aabbccddeeff")))
	wrapped, err := f.wrap(&Mechanism{Type: CKM_AES_KEY_WRAP}, kek, key)
	f.ok(err)
	if hex.EncodeToString(wrapped) != "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" {
		t.Errorf("wrapped to %x", wrapped)
	}
}

// TestWrapPrivate wraps private keys of each kind. What comes out is a PrivateKeyInfo.
func TestWrapPrivate(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	kek := f.wrappingKey(make([]byte, 32))
	keys := map[uint]uint{f.create(rsaTemplate(k, CKA_EXTRACTABLE, true)): CKK_RSA}
	for c := softkey.P224; c <= softkey.X25519; c++ {
		size := 32
		if c < softkey.Secp256k1 {
			size = c.Size()
		}
		keys[f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, curveType(c), CKA_EC_PARAMS, c.Params(),
			CKA_VALUE, bytes.Repeat([]byte{1}, size), CKA_EXTRACTABLE, true))] = curveType(c)
	}
	for name, m := range wrapsByAES() {
		for key, typ := range keys {
			wrapped, err := f.wrap(m, kek, key)
			f.ok(err)
			again, err := f.UnwrapKey(f.h, m, kek, wrapped, is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, typ, CKA_SENSITIVE, false))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.reads(again, CKA_PUBLIC_KEY_INFO, f.read(key, CKA_PUBLIC_KEY_INFO))
			f.reads(again, CKA_EXTRACTABLE, true)
			other := map[bool]uint{true: CKK_EC, false: CKK_RSA}[typ == CKK_RSA]
			_, err = f.UnwrapKey(f.h, m, kek, wrapped, is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, other))
			want(t, "another key type", err, CKR_WRAPPED_KEY_INVALID)
		}
	}
	plain := f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, bytes.Repeat([]byte{0x30}, 64)))
	wrapped, err := f.wrap(&Mechanism{Type: CKM_AES_KEY_WRAP_KWP}, kek, plain)
	f.ok(err)
	_, err = f.UnwrapKey(f.h, &Mechanism{Type: CKM_AES_KEY_WRAP_KWP}, kek, wrapped, is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_RSA)))
	want(t, "a secret as a private key", err, CKR_WRAPPED_KEY_INVALID)
}

// TestWrappedForm: others can read what was wrapped.
func TestWrappedForm(t *testing.T) {
	f, k := newSealing(t), knownRSA()
	kek := f.wrappingKey(make([]byte, 32), CKA_DECRYPT, true)
	m := &Mechanism{Type: CKM_AES_CBC_PAD, Parameter: make([]byte, 16)}
	wrapped, err := f.wrap(m, kek, f.create(rsaTemplate(k, CKA_EXTRACTABLE, true)))
	f.ok(err)
	f.ok(f.DecryptInit(f.h, m, kek))
	out, b := buffer(len(wrapped))
	f.ok(f.Decrypt(f.h, wrapped, out))
	parsed, err := x509.ParsePKCS8PrivateKey(b[:*out.Length])
	f.ok(err)
	if !k.Equal(parsed) {
		t.Error("another key")
	}
}

// TestWrapRefused: who may wrap what.
func TestWrapRefused(t *testing.T) {
	f := newSealing(t)
	m := &Mechanism{Type: CKM_AES_KEY_WRAP}
	kek := f.wrappingKey(make([]byte, 16))
	plain := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_WRAP, false))
	stays := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_EXTRACTABLE, false))
	demanding := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_WRAP_WITH_TRUSTED, true))
	short := f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, make([]byte, 5)))
	public, private := f.tokenPair(scm.P256)
	_, session := f.pairOn(scm.P256, CKA_TOKEN, false)
	for name, x := range map[string]struct {
		m             *Mechanism
		wrapping, key uint
		code          Error
	}{
		"not extractable":       {m, kek, stays, CKR_KEY_UNEXTRACTABLE},
		"in a key slot":         {m, kek, private, CKR_KEY_UNEXTRACTABLE},
		"in volatile memory":    {m, kek, session, CKR_KEY_UNEXTRACTABLE},
		"a public key":          {m, kek, public, CKR_KEY_NOT_WRAPPABLE},
		"for trusted keys":      {m, kek, demanding, CKR_KEY_NOT_WRAPPABLE},
		"too short":             {m, kek, short, CKR_KEY_SIZE_RANGE},
		"no key":                {m, kek, 1 << 30, CKR_KEY_HANDLE_INVALID},
		"no wrapping key":       {m, 1 << 30, plain, CKR_WRAPPING_KEY_HANDLE_INVALID},
		"by a key of a slot":    {m, private, plain, CKR_WRAPPING_KEY_TYPE_INCONSISTENT},
		"by one not for that":   {m, plain, plain, CKR_KEY_FUNCTION_NOT_PERMITTED},
		"by a hash":             {&Mechanism{Type: CKM_SHA256}, kek, plain, CKR_MECHANISM_INVALID},
		"with a long IV":        {&Mechanism{Type: CKM_AES_KEY_WRAP, Parameter: make([]byte, 9)}, kek, plain, CKR_MECHANISM_PARAM_INVALID},
		"by nothing":            {nil, kek, plain, CKR_ARGUMENTS_BAD},
		"one that may, for all": {m, kek, plain, CKR_OK},
	} {
		want(t, name, f.WrapKey(f.h, x.m, x.wrapping, x.key, room(100)), x.code)
	}
	f.ok(f.Logout(f.h))
	want(t, "logged out", f.WrapKey(f.h, m, kek, plain, room(100)), CKR_WRAPPING_KEY_HANDLE_INVALID)
}

// TestWrapTrusted: what asks for a trusted key is wrapped by one that the SO vouches for.
func TestWrapTrusted(t *testing.T) {
	f := newPublicWith(t, Options{SealedKeys: true})
	f.login(CKU_SO)
	kek := f.wrappingKey(make([]byte, 16), CKA_PRIVATE, false, CKA_TRUSTED, true, CKA_TOKEN, true)
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	_, err := f.CreateObject(f.h, secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_TRUSTED, true))
	want(t, "the user vouches", err, CKR_ATTRIBUTE_READ_ONLY)
	demanding := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_WRAP_WITH_TRUSTED, true))
	f.reads(kek, CKA_TRUSTED, true)
	_, err = f.wrap(&Mechanism{Type: CKM_AES_KEY_WRAP}, kek, demanding)
	want(t, "a trusted one", err, CKR_OK)
}

// TestUnwrapChanged: of a wrapped key that is cut or changed at whatever byte nothing is kept.
func TestUnwrapChanged(t *testing.T) {
	f := newSealing(t)
	kek := f.wrappingKey(make([]byte, 16))
	key := f.create(secretTemplate(CKK_AES, CKA_VALUE, bytes.Repeat([]byte{5}, 32)))
	allowed := map[error]bool{CKR_WRAPPED_KEY_INVALID: true, CKR_WRAPPED_KEY_LEN_RANGE: true}
	for _, typ := range []uint{CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PKCS7} {
		m := &Mechanism{Type: typ}
		wrapped, err := f.wrap(m, kek, key)
		f.ok(err)
		before := len(f.search())
		for i := range wrapped {
			changed := bytes.Clone(wrapped)
			changed[i] ^= 1
			for _, blob := range [][]byte{changed, wrapped[:i], append(bytes.Clone(wrapped), changed[:i+1]...)} {
				if _, err := f.UnwrapKey(f.h, m, kek, blob, secretTemplate(CKK_AES, CKA_TOKEN, true)); !allowed[err] {
					t.Errorf("%s at %d: %v", MechanismName(typ), i, err)
				}
			}
		}
		if now := len(f.search()); now != before {
			t.Errorf("%d objects, then %d", before, now)
		}
	}
}

// TestUnwrapTemplates: the code for each template that cannot be had.
func TestUnwrapTemplates(t *testing.T) {
	f := newSealing(t)
	kek := f.wrappingKey(make([]byte, 16))
	key := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16)))
	m := &Mechanism{Type: CKM_AES_KEY_WRAP}
	wrapped, err := f.wrap(m, kek, key)
	f.ok(err)
	for name, x := range map[string]struct {
		list []Attribute
		code Error
	}{
		"no class":        {is(CKA_KEY_TYPE, uint(CKK_AES)), CKR_TEMPLATE_INCOMPLETE},
		"no key type":     {is(CKA_CLASS, uint(CKO_SECRET_KEY)), CKR_TEMPLATE_INCOMPLETE},
		"a public key":    {is(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_KEY_TYPE, uint(CKK_RSA)), CKR_TEMPLATE_INCONSISTENT},
		"a certificate":   {is(CKA_CLASS, uint(CKO_CERTIFICATE), CKA_KEY_TYPE, uint(CKK_AES)), CKR_TEMPLATE_INCONSISTENT},
		"DES":             {secretTemplate(CKK_DES3), CKR_ATTRIBUTE_VALUE_INVALID},
		"a value":         {secretTemplate(CKK_AES, CKA_VALUE, "x"), CKR_ATTRIBUTE_READ_ONLY},
		"local":           {secretTemplate(CKK_AES, CKA_LOCAL, true), CKR_ATTRIBUTE_READ_ONLY},
		"a wrong boolean": {secretTemplate(CKK_AES, CKA_WRAP, "no"), CKR_ATTRIBUTE_VALUE_INVALID},
		"numbers":         {is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_RSA), CKA_MODULUS, "x"), CKR_ATTRIBUTE_READ_ONLY},
		"an open private": {is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_RSA), CKA_TOKEN, true, CKA_PRIVATE, false), CKR_TEMPLATE_INCONSISTENT},
		"another check":   {secretTemplate(CKK_AES, CKA_CHECK_VALUE, "abc"), CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		_, err := f.UnwrapKey(f.h, m, kek, wrapped, x.list)
		want(t, name, err, x.code)
	}
	_, err = f.UnwrapKey(f.h, m, 1<<30, wrapped, secretTemplate(CKK_AES))
	want(t, "no key", err, CKR_UNWRAPPING_KEY_HANDLE_INVALID)
}

// TestNestedTemplates: a wrapping key says what it wraps, and what an unwrapped key is.
func TestNestedTemplates(t *testing.T) {
	f := newSealing(t)
	m := &Mechanism{Type: CKM_AES_KEY_WRAP}
	wraps := EncodeTemplate(is(CKA_KEY_TYPE, uint(CKK_AES), CKA_LABEL, "mine"))
	unwraps := EncodeTemplate(is(CKA_LABEL, "mine", CKA_EXTRACTABLE, false))
	kek := f.wrappingKey(make([]byte, 16), CKA_WRAP_TEMPLATE, wraps, CKA_UNWRAP_TEMPLATE, unwraps, CKA_TOKEN, true)
	mine := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_LABEL, "mine"))
	other := f.create(secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_LABEL, "other"))
	wrapped, err := f.wrap(m, kek, mine)
	f.ok(err)
	_, err = f.wrap(m, kek, other)
	want(t, "another label", err, CKR_KEY_HANDLE_INVALID)
	limits := f.wrappingKey(make([]byte, 16), CKA_WRAP_TEMPLATE, EncodeTemplate(is(CKA_ALLOWED_MECHANISMS, encodeULong(CKM_AES_GCM))))
	_, err = f.wrap(m, limits, mine)
	want(t, "an attribute that the key does not have", err, CKR_KEY_HANDLE_INVALID)
	again, err := f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(CKK_AES))
	f.ok(err)
	f.reads(again, CKA_LABEL, "mine")
	f.reads(again, CKA_EXTRACTABLE, false)
	_, err = f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(CKK_AES, CKA_LABEL, "other"))
	want(t, "a conflict", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.CreateObject(f.h, secretTemplate(CKK_AES, CKA_VALUE, make([]byte, 16), CKA_WRAP_TEMPLATE, EncodeTemplate(is(CKA_WRAP_TEMPLATE, "x"))))
	want(t, "a template in a template", err, CKR_ATTRIBUTE_VALUE_INVALID)

	var n uint
	q := Query{Type: CKA_WRAP_TEMPLATE, Length: &n}
	f.ok(f.GetAttributeValue(f.h, kek, []Query{q}))
	if n != 2*attributeSize {
		t.Errorf("the template has %d bytes", n)
	}
	q.Buffer = make([]byte, n)
	q.Nested = []NestedQuery{{new(uint), make([]byte, 8), new(uint)}, {new(uint), make([]byte, 8), new(uint)}}
	f.ok(f.GetAttributeValue(f.h, kek, []Query{q}))
	if *q.Nested[0].Type != CKA_LABEL || string(q.Nested[0].Buffer[:*q.Nested[0].Length]) != "mine" {
		t.Error("the template reads otherwise")
	}
}

// TestWrapOff: without sealed keys nothing is wrapped.
func TestWrapOff(t *testing.T) {
	f := newUser(t)
	m := &Mechanism{Type: CKM_AES_KEY_WRAP}
	want(t, "wrap", f.WrapKey(f.h, m, 1, 2, room(10)), CKR_FUNCTION_NOT_SUPPORTED)
	_, err := f.UnwrapKey(f.h, m, 1, nil, nil)
	want(t, "unwrap", err, CKR_FUNCTION_NOT_SUPPORTED)
	_, err = f.CreateObject(f.h, secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, "x", CKA_WRAP_TEMPLATE, EncodeTemplate(nil)))
	want(t, "a nested template", err, CKR_ATTRIBUTE_TYPE_INVALID)
}

// TestUnwrapWithoutLength: what is padded with zeros does not tell how long a key is, so that the template has to.
func TestUnwrapWithoutLength(t *testing.T) {
	f := newSealing(t)
	kek := f.wrappingKey(make([]byte, 32))
	for typ, parameter := range map[uint][]byte{CKM_AES_ECB: nil, CKM_AES_CBC: make([]byte, 16)} {
		m := &Mechanism{Type: typ, Parameter: parameter}
		for _, x := range []struct {
			keyType uint
			size    int
			code    Error
		}{
			{CKK_GENERIC_SECRET, 20, CKR_TEMPLATE_INCOMPLETE}, {CKK_GENERIC_SECRET, 32, CKR_TEMPLATE_INCOMPLETE},
			{CKK_SHA256_HMAC, 20, CKR_TEMPLATE_INCOMPLETE},
			{CKK_AES, 16, CKR_OK}, {CKK_AES, 24, CKR_TEMPLATE_INCOMPLETE}, {CKK_AES, 32, CKR_OK},
		} {
			key := f.create(secretTemplate(x.keyType, CKA_VALUE, bytes.Repeat([]byte{7}, x.size)))
			wrapped, err := f.wrap(m, kek, key)
			f.ok(err)
			_, err = f.UnwrapKey(f.h, m, kek, wrapped, secretTemplate(x.keyType))
			want(t, fmt.Sprintf("%s of %d bytes", MechanismName(typ), x.size), err, x.code)
		}
	}
}

// TestUnwrapPKCS1 unwraps what RSA has not wrapped: a key comes out all the same, of a length that it can have, and always the same one.
func TestUnwrapPKCS1(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_WRAP, true}, []any{CKA_UNWRAP, true})
	m := &Mechanism{Type: CKM_RSA_PKCS}
	for _, n := range []int{16, 24, 32} {
		key := f.create(secretTemplate(CKK_AES, CKA_VALUE, bytes.Repeat([]byte{7}, n)))
		wrapped, err := f.wrap(m, public, key)
		f.ok(err)
		again, err := f.UnwrapKey(f.h, m, private, wrapped, secretTemplate(CKK_AES))
		f.ok(err)
		f.reads(again, CKA_VALUE, bytes.Repeat([]byte{7}, n))
	}
	short, err := f.wrap(m, public, f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, "twenty bytes are none")))
	f.ok(err)
	for i := range 20 {
		wrapped := bytes.Repeat([]byte{byte(i + 1)}, 256)
		if i == 0 {
			wrapped = short // right, but no key of AES
		}
		wrapped[0] = min(wrapped[0], 0x40)
		for _, template := range [][]Attribute{secretTemplate(CKK_AES), secretTemplate(CKK_GENERIC_SECRET), secretTemplate(CKK_AES, CKA_VALUE_LEN, uint(24))} {
			a, err := f.UnwrapKey(f.h, m, private, wrapped, template)
			f.ok(err)
			b, err := f.UnwrapKey(f.h, m, private, wrapped, template)
			f.ok(err)
			if !bytes.Equal(f.value(a, CKA_VALUE), f.value(b, CKA_VALUE)) {
				t.Error("it is another key the second time")
			}
		}
	}
}

// TestWrapRSAAES wraps keys of all sorts by way of a key of AES that goes along.
func TestWrapRSAAES(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_WRAP, true}, []any{CKA_UNWRAP, true})
	k := knownRSA()
	oaep := OAEPParams{Hash: CKM_SHA256, MGF: CKG_MGF1_SHA256, Source: CKZ_DATA_SPECIFIED}
	for _, bits := range []uint{128, 192, 256} {
		m := &Mechanism{Type: CKM_RSA_AES_KEY_WRAP, Params: &RSAAESParams{bits, &oaep}}
		secret := f.create(secretTemplate(CKK_GENERIC_SECRET, CKA_VALUE, "a secret"))
		wrapped, err := f.wrap(m, public, secret)
		f.ok(err)
		again, err := f.UnwrapKey(f.h, m, private, wrapped, secretTemplate(CKK_GENERIC_SECRET))
		f.ok(err)
		f.reads(again, CKA_VALUE, "a secret")
		wrapped, err = f.wrap(m, public, f.create(rsaTemplate(k, CKA_EXTRACTABLE, true)))
		f.ok(err)
		template := is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, uint(CKK_RSA))
		again, err = f.UnwrapKey(f.h, m, private, wrapped, template)
		f.ok(err)
		f.reads(again, CKA_MODULUS, k.N.Bytes())
		for i := range wrapped {
			wrapped[i] ^= 1
			if _, err = f.UnwrapKey(f.h, m, private, wrapped, template); err != error(CKR_WRAPPED_KEY_INVALID) {
				t.Fatalf("byte %d changed: %v", i, err)
			}
			wrapped[i] ^= 1
		}
		_, err = f.UnwrapKey(f.h, m, private, wrapped[:256], template)
		want(t, "cut", err, CKR_WRAPPED_KEY_LEN_RANGE)
		want(t, "to encrypt", f.EncryptInit(f.h, m, public), CKR_MECHANISM_INVALID)
	}
	for _, p := range []any{nil, &oaep, &RSAAESParams{100, &oaep}, &RSAAESParams{256, nil}, &RSAAESParams{256, &OAEPParams{}}} {
		_, err := f.wrap(&Mechanism{Type: CKM_RSA_AES_KEY_WRAP, Params: p}, public, private)
		want(t, "a wrong parameter", err, CKR_MECHANISM_PARAM_INVALID)
	}
}
