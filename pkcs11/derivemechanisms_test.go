// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/softkey"
)

// baseKey brings a secret in that others are derived of.
func (f *fixture) baseKey(value []byte, more ...any) uint {
	f.Helper()
	return f.create(secretTemplate(CKK_GENERIC_SECRET, append([]any{CKA_VALUE, value, CKA_DERIVE, true}, more...)...))
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	ok(t, err)
	return b
}

// TestDeriveSealed agrees with sealed keys and with those of the device, by each function of the agreed secret.
func TestDeriveSealed(t *testing.T) {
	f := newSealing(t)
	for _, c := range []scm.Curve{scm.P256, scm.X25519} {
		soft, err := softkey.ParseParams(curves[c].encodeParams())
		f.ok(err)
		number := bytes.Repeat([]byte{9}, 32)
		sealed := f.create(is(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_KEY_TYPE, curveType(soft), CKA_EC_PARAMS, soft.Params(), CKA_VALUE, number, CKA_DERIVE, true))
		_, inDevice := f.pairOn(c, CKA_TOKEN, true)
		k, err := numberOn(soft, number)
		f.ok(err)
		other := f.object(inDevice).deviceKey().Public
		peers := map[uint][]byte{sealed: curves[c].rawPoint(other), inDevice: k.Public().(curvePublic).Point()}
		shared, err := k.(agreer).Agree(softkey.Agreement{Peer: curves[c].rawPoint(other)}, 0)
		f.ok(err)
		info := []byte("info")
		sum := sha256.Sum256(append(append(bytes.Clone(shared), 0, 0, 0, 1), info...))
		for base, peer := range peers {
			for _, mechanism := range []uint{CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE} {
				for _, x := range []struct {
					params *ECDH1Params
					typ    uint
					size   uint
					wanted []byte
				}{
					{&ECDH1Params{KDF: CKD_NULL, Public: peer}, CKK_GENERIC_SECRET, 0, shared},
					{&ECDH1Params{KDF: CKD_NULL, Public: peer}, CKK_AES, 16, shared[16:]},
					{&ECDH1Params{KDF: CKD_NULL, Public: peer}, CKK_AES, 0, shared},
					{&ECDH1Params{KDF: CKD_SHA256_KDF, SharedData: info, Public: peer}, CKK_AES, 32, sum[:]},
					{&ECDH1Params{KDF: CKD_SHA256_KDF, SharedData: info, Public: peer}, CKK_GENERIC_SECRET, 5, sum[:5]},
				} {
					list := is(CKA_CLASS, uint(CKO_SECRET_KEY), CKA_KEY_TYPE, x.typ, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true)
					if x.size > 0 {
						list = append(list, is(CKA_VALUE_LEN, x.size)...)
					}
					h, err := f.DeriveKey(f.h, &Mechanism{Type: mechanism, Params: x.params}, base, list)
					f.ok(err)
					f.reads(h, CKA_VALUE, x.wanted)
					f.reads(h, CKA_LOCAL, false)
				}
			}
			for name, x := range map[string]struct {
				params *ECDH1Params
				list   []Attribute
				code   Error
			}{
				"no point":        {&ECDH1Params{KDF: CKD_NULL, Public: []byte{4, 1}}, nil, CKR_PUBLIC_KEY_INVALID},
				"no function":     {&ECDH1Params{KDF: 99, Public: peer}, nil, CKR_MECHANISM_PARAM_INVALID},
				"data without":    {&ECDH1Params{KDF: CKD_NULL, SharedData: info, Public: peer}, nil, CKR_MECHANISM_PARAM_INVALID},
				"too long":        {&ECDH1Params{KDF: CKD_NULL, Public: peer}, is(CKA_VALUE_LEN, uint(33)), CKR_TEMPLATE_INCONSISTENT},
				"AES of 17 bytes": {&ECDH1Params{KDF: CKD_NULL, Public: peer}, is(CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE_LEN, uint(17)), CKR_TEMPLATE_INCONSISTENT},
				"a private key":   {&ECDH1Params{KDF: CKD_NULL, Public: peer}, is(CKA_CLASS, uint(CKO_PRIVATE_KEY)), CKR_TEMPLATE_INCONSISTENT},
			} {
				_, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDH1_DERIVE, Params: x.params}, base, x.list)
				want(t, name, err, x.code)
			}
		}
	}
}

// TestDeriveHKDF has the first test of RFC 5869, as a key and as data, with the salt as a key, too.
func TestDeriveHKDF(t *testing.T) {
	f := newSealing(t)
	base := f.baseKey(bytes.Repeat([]byte{11}, 22))
	salt := unhex(t, "000102030405060708090a0b0c")
	saltKey := f.baseKey(salt)
	okm := unhex(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
	prk := unhex(t, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
	info := unhex(t, "f0f1f2f3f4f5f6f7f8f9")
	both := HKDFParams{Extract: true, Expand: true, Hash: CKM_SHA256, SaltType: CKF_HKDF_SALT_DATA, Salt: salt, Info: info}
	byKey := both
	byKey.SaltType, byKey.SaltKey = CKF_HKDF_SALT_KEY, saltKey
	for name, p := range map[string]HKDFParams{"data": both, "key": byKey} {
		for _, typ := range []uint{CKM_HKDF_DERIVE, CKM_HKDF_DATA} {
			h, err := f.DeriveKey(f.h, &Mechanism{Type: typ, Params: &p}, base, is(CKA_VALUE_LEN, uint(42)))
			if err != nil {
				t.Fatalf("%s, %s: %v", name, MechanismName(typ), err)
			}
			f.reads(h, CKA_VALUE, okm)
		}
	}
	extract := HKDFParams{Extract: true, Hash: CKM_SHA256, SaltType: CKF_HKDF_SALT_DATA, Salt: salt}
	h, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_HKDF_DERIVE, Params: &extract}, base, is(CKA_KEY_TYPE, uint(CKK_HKDF)))
	f.ok(err)
	f.reads(h, CKA_VALUE, prk)
	for name, x := range map[string]struct {
		p    HKDFParams
		list []Attribute
		code Error
	}{
		"nothing to do":    {HKDFParams{Hash: CKM_SHA256}, nil, CKR_MECHANISM_PARAM_INVALID},
		"no hash":          {HKDFParams{Hash: CKM_ECDSA, Expand: true}, nil, CKR_MECHANISM_PARAM_INVALID},
		"no such salt":     {HKDFParams{Hash: CKM_SHA256, Extract: true, SaltType: 9}, nil, CKR_MECHANISM_PARAM_INVALID},
		"no key as salt":   {HKDFParams{Hash: CKM_SHA256, Extract: true, SaltType: CKF_HKDF_SALT_KEY}, nil, CKR_KEY_HANDLE_INVALID},
		"no length":        {both, nil, CKR_TEMPLATE_INCOMPLETE},
		"too long":         {both, is(CKA_VALUE_LEN, uint(255*32+1)), CKR_TEMPLATE_INCONSISTENT},
		"a value":          {both, is(CKA_VALUE, "x"), CKR_ATTRIBUTE_READ_ONLY},
		"another length":   {extract, is(CKA_VALUE_LEN, uint(31)), CKR_TEMPLATE_INCONSISTENT},
		"a length of zero": {both, is(CKA_VALUE_LEN, uint(0)), CKR_TEMPLATE_INCONSISTENT},
	} {
		_, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_HKDF_DERIVE, Params: &x.p}, base, x.list)
		want(t, name, err, x.code)
	}
}

// TestDeriveSimple has the examples of section 6.43.
func TestDeriveSimple(t *testing.T) {
	f := newSealing(t)
	value, more := unhex(t, "01234567"), unhex(t, "89abcdef")
	aes := f.create(secretTemplate(CKK_AES, CKA_VALUE, unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"), CKA_DERIVE, true)) // of SP 800-38A, F.1.1 and F.2.1
	block := unhex(t, "6bc1bee22e409f96e93d7e117393172a")
	base, other, long := f.baseKey(value), f.baseKey(more), f.baseKey(unhex(t, "329f84a9"))
	sum := sha256.Sum256(value)
	data := &DerivationData{more}
	for name, x := range map[string]struct {
		m      *Mechanism
		base   uint
		list   []Attribute
		wanted []byte
	}{
		"base and key":  {&Mechanism{Type: CKM_CONCATENATE_BASE_AND_KEY, Parameter: encodeULong(other)}, base, nil, unhex(t, "0123456789abcdef")},
		"base and data": {&Mechanism{Type: CKM_CONCATENATE_BASE_AND_DATA, Params: data}, base, nil, unhex(t, "0123456789abcdef")},
		"cut":           {&Mechanism{Type: CKM_CONCATENATE_BASE_AND_DATA, Params: data}, base, is(CKA_VALUE_LEN, uint(5)), unhex(t, "0123456789")},
		"data and base": {&Mechanism{Type: CKM_CONCATENATE_DATA_AND_BASE, Params: data}, base, nil, unhex(t, "89abcdef01234567")},
		"xor":           {&Mechanism{Type: CKM_XOR_BASE_AND_DATA, Params: data}, base, nil, unhex(t, "88888888")},
		"bits":          {&Mechanism{Type: CKM_EXTRACT_KEY_FROM_KEY, Parameter: encodeULong(21)}, long, is(CKA_VALUE_LEN, uint(2)), unhex(t, "9526")},
		"ECB":           {&Mechanism{Type: CKM_AES_ECB_ENCRYPT_DATA, Params: &DerivationData{block}}, aes, nil, unhex(t, "3ad77bb40d7a3660a89ecaf32466ef97")},
		"ECB, cut":      {&Mechanism{Type: CKM_AES_ECB_ENCRYPT_DATA, Params: &DerivationData{block}}, aes, is(CKA_VALUE_LEN, uint(4)), unhex(t, "3ad77bb4")},
		"CBC":           {&Mechanism{Type: CKM_AES_CBC_ENCRYPT_DATA, Params: &EncryptedData{unhex(t, "000102030405060708090a0b0c0d0e0f"), block}}, aes, nil, unhex(t, "7649abac8119b246cee98e9b12e9197d")},
		"hash":          {&Mechanism{Type: CKM_SHA256_KEY_DERIVATION}, base, nil, sum[:]},
		"hash for AES":  {&Mechanism{Type: CKM_SHA256_KEY_DERIVATION}, base, is(CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE_LEN, uint(16)), sum[:16]},
	} {
		h, err := f.DeriveKey(f.h, x.m, x.base, x.list)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.reads(h, CKA_VALUE, x.wanted)
	}
	for typ, params := range map[uint]*Mechanism{
		CKM_CONCATENATE_BASE_AND_KEY:  {Parameter: []byte{1}},
		CKM_CONCATENATE_BASE_AND_DATA: {Parameter: []byte{1}},
		CKM_EXTRACT_KEY_FROM_KEY:      {},
		CKM_SHA256_KEY_DERIVATION:     {Parameter: []byte{1}},
		CKM_AES_ECB_ENCRYPT_DATA:      {Params: &EncryptedData{}},
		CKM_AES_CBC_ENCRYPT_DATA:      {Params: &DerivationData{}},
		CKM_HKDF_DERIVE:               {Parameter: []byte{1}},
	} {
		params.Type = typ
		_, err := f.DeriveKey(f.h, params, base, nil)
		want(t, MechanismName(typ), err, CKR_MECHANISM_PARAM_INVALID)
	}
	_, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_AES_ECB_ENCRYPT_DATA, Params: &DerivationData{block[1:]}}, aes, nil)
	want(t, "no whole block", err, CKR_MECHANISM_PARAM_INVALID)
	_, err = f.DeriveKey(f.h, &Mechanism{Type: CKM_AES_ECB_ENCRYPT_DATA, Params: &DerivationData{block}}, aes, is(CKA_VALUE_LEN, uint(17)))
	want(t, "more than there is", err, CKR_TEMPLATE_INCONSISTENT)
}

// TestDeriveInherits: what is joined of sensitive keys is sensitive.
func TestDeriveInherits(t *testing.T) {
	f := newSealing(t)
	open := f.baseKey([]byte("open"))
	hidden := f.baseKey([]byte("hidden"), CKA_SENSITIVE, true, CKA_EXTRACTABLE, false)
	for _, pair := range [][2]uint{{open, hidden}, {hidden, open}} {
		m := &Mechanism{Type: CKM_CONCATENATE_BASE_AND_KEY, Parameter: encodeULong(pair[1])}
		h, err := f.DeriveKey(f.h, m, pair[0], nil)
		f.ok(err)
		for typ, v := range map[uint]bool{CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_ALWAYS_SENSITIVE: false, CKA_NEVER_EXTRACTABLE: false} {
			f.reads(h, typ, v)
		}
		for _, looser := range [][]Attribute{is(CKA_SENSITIVE, false), is(CKA_EXTRACTABLE, true)} {
			_, err := f.DeriveKey(f.h, m, pair[0], looser)
			want(t, "looser", err, CKR_TEMPLATE_INCONSISTENT)
		}
	}
}

// TestDeriveOfTwoAllowed: the second key says by which mechanisms it may be used, as the first one does.
func TestDeriveOfTwoAllowed(t *testing.T) {
	f := newSealing(t)
	base, other := f.baseKey([]byte("base")), f.baseKey([]byte("other"), CKA_ALLOWED_MECHANISMS, encodeULong(CKM_SHA256_HMAC))
	for _, m := range []*Mechanism{
		{Type: CKM_CONCATENATE_BASE_AND_KEY, Parameter: encodeULong(other)},
		{Type: CKM_HKDF_DERIVE, Params: &HKDFParams{Extract: true, Hash: CKM_SHA256, SaltType: CKF_HKDF_SALT_KEY, SaltKey: other}},
	} {
		_, err := f.DeriveKey(f.h, m, base, nil)
		want(t, MechanismName(m.Type), err, CKR_MECHANISM_INVALID)
	}
}

// TestDeriveTemplate: the base key says what comes of it.
func TestDeriveTemplate(t *testing.T) {
	f := newSealing(t)
	base := f.baseKey([]byte("base"), CKA_DERIVE_TEMPLATE, EncodeTemplate(is(CKA_LABEL, "child", CKA_EXTRACTABLE, false)))
	h, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_SHA256_KEY_DERIVATION}, base, nil)
	f.ok(err)
	f.reads(h, CKA_LABEL, "child")
	f.reads(h, CKA_EXTRACTABLE, false)
	_, err = f.DeriveKey(f.h, &Mechanism{Type: CKM_SHA256_KEY_DERIVATION}, base, is(CKA_EXTRACTABLE, true))
	want(t, "a conflict", err, CKR_TEMPLATE_INCONSISTENT)
}

// TestPBKDF2 makes keys of a password, as the published values have it.
func TestPBKDF2(t *testing.T) {
	f := newSealing(t)
	params := func() *PBKDF2Params {
		return &PBKDF2Params{SaltSource: CKZ_SALT_SPECIFIED, Salt: []byte("salt"), Iterations: 1, PRF: CKP_PKCS5_PBKD2_HMAC_SHA256, Password: []byte("password")}
	}
	h, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_PKCS5_PBKD2, Params: params()}, is(CKA_KEY_TYPE, uint(CKK_AES), CKA_VALUE_LEN, uint(32)))
	f.ok(err)
	f.reads(h, CKA_VALUE, unhex(t, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"))
	f.reads(h, CKA_LOCAL, true)
	for name, change := range map[string]func(*PBKDF2Params){
		"no salt source": func(p *PBKDF2Params) { p.SaltSource = 0 },
		"GOST":           func(p *PBKDF2Params) { p.PRF = CKP_PKCS5_PBKD2_HMAC_GOSTR3411 },
		"no iterations":  func(p *PBKDF2Params) { p.Iterations = 0 },
		"for ever":       func(p *PBKDF2Params) { p.Iterations = ^uint(0) },
	} {
		p := params()
		change(p)
		_, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_PKCS5_PBKD2, Params: p}, is(CKA_VALUE_LEN, uint(32)))
		want(t, name, err, CKR_MECHANISM_PARAM_INVALID)
	}
	long := params()
	long.Iterations = maxIterations
	_, err = f.GenerateKey(f.h, &Mechanism{Type: CKM_PKCS5_PBKD2, Params: long}, is(CKA_VALUE_LEN, uint(33)))
	want(t, "two blocks that take too long", err, CKR_MECHANISM_PARAM_INVALID)
	_, err = f.GenerateKey(f.h, &Mechanism{Type: CKM_PKCS5_PBKD2, Params: params()}, nil)
	want(t, "no length", err, CKR_TEMPLATE_INCOMPLETE)
}

// TestDeriveOff: devices alone give the agreed secret as it is.
func TestDeriveOff(t *testing.T) {
	f := newUser(t)
	_, base := f.pairOn(scm.P256, CKA_TOKEN, true)
	peer := newParty(t, scm.P256).public
	_, err := f.DeriveKey(f.h, &Mechanism{Type: CKM_ECDH1_DERIVE, Params: &ECDH1Params{KDF: CKD_SHA256_KDF, Public: peer}}, base, nil)
	want(t, "a function", err, CKR_MECHANISM_PARAM_INVALID)
	_, err = f.derive(CKM_ECDH1_DERIVE, base, peer, CKA_KEY_TYPE, CKK_AES)
	want(t, "AES", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.derive(CKM_ECDH1_COFACTOR_DERIVE, base, peer)
	want(t, "cofactor", err, CKR_MECHANISM_INVALID)
}
