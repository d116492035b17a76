// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// newSealing is newUser with keys that are sealed in the store.
func newSealing(t testing.TB) *fixture {
	t.Helper()
	f := newPublicWith(t, Options{SealedKeys: true})
	f.login(CKU_USER)
	return f
}

// reopened returns a provider on the same token, as a process that has just started.
func (f *fixture) reopened() *fixture {
	f.Helper()
	other := openIn(f.TB, f.dir, Options{SealedKeys: true})
	other.h = other.session(CKF_RW_SESSION)
	other.login(CKU_USER)
	return other
}

// rsaPair makes an RSA key pair.
func (f *fixture) rsaPair(public, private []any) (uint, uint) {
	f.Helper()
	a, b, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN},
		append(is(CKA_MODULUS_BITS, uint(2048)), is(public...)...), is(private...))
	f.ok(err)
	return a, b
}

// signLong signs with a key of any size.
func (f *fixture) signLong(m *Mechanism, key uint, data []byte) []byte {
	f.Helper()
	f.ok(f.SignInit(f.h, m, key))
	size := sizeOnly()
	f.ok(f.Sign(f.h, data, size))
	out, b := buffer(int(*size.Length))
	f.ok(f.Sign(f.h, data, out))
	return b[:*out.Length]
}

// publicOfObject reads CKA_PUBLIC_KEY_INFO.
func (f *fixture) publicOfObject(h uint) any {
	f.Helper()
	k, err := x509.ParsePKIXPublicKey(f.value(h, CKA_PUBLIC_KEY_INFO))
	f.ok(err)
	return k
}

// value reads an attribute.
func (f *fixture) value(h, typ uint) []byte {
	f.Helper()
	b, n := make([]byte, 1<<12), uint(0)
	f.ok(f.GetAttributeValue(f.h, h, []Query{{Type: typ, Buffer: b, Length: &n}}))
	return b[:n]
}

// TestSealedRSA makes a key pair on the token, signs with it, and does so again in another process.
func TestSealedRSA(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_TOKEN, true, CKA_LABEL, "web"}, []any{CKA_TOKEN, true, CKA_LABEL, "web", CKA_ID, "7"})
	for typ, v := range map[uint]any{
		CKA_SENSITIVE: true, CKA_EXTRACTABLE: false, CKA_ALWAYS_SENSITIVE: true, CKA_NEVER_EXTRACTABLE: true, CKA_LOCAL: true,
		CKA_KEY_GEN_MECHANISM: uint(CKM_RSA_PKCS_KEY_PAIR_GEN), CKA_PRIVATE: true, CKA_KEY_TYPE: uint(CKK_RSA),
	} {
		f.reads(private, typ, v)
	}
	key := f.publicOfObject(public).(*rsa.PublicKey)
	if !bytes.Equal(f.value(private, CKA_MODULUS), key.N.Bytes()) || key.N.BitLen() != 2048 {
		t.Error("the halves differ")
	}
	checks := func(f *fixture, private, public uint) {
		t.Helper()
		sum := sha256.Sum256(digest32)
		f.ok(rsa.VerifyPKCS1v15(key, 0, digest32, f.signLong(&Mechanism{Type: CKM_RSA_PKCS}, private, digest32)))
		signature := f.signLong(&Mechanism{Type: CKM_SHA256_RSA_PKCS}, private, digest32)
		f.ok(rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature))
		f.ok(f.verify(CKM_SHA256_RSA_PKCS, public, digest32, signature))
		signature[7] ^= 1
		want(t, "a wrong signature", f.verify(CKM_SHA256_RSA_PKCS, public, digest32, signature), CKR_SIGNATURE_INVALID)
	}
	checks(f, private, public)
	other := f.reopened()
	found := other.search(CKA_CLASS, uint(CKO_PRIVATE_KEY), CKA_LABEL, "web")
	publics := other.search(CKA_CLASS, uint(CKO_PUBLIC_KEY), CKA_LABEL, "web")
	if len(found) != 1 || len(publics) != 1 {
		t.Fatalf("found %d and %d", len(found), len(publics))
	}
	checks(other, found[0], publics[0])
	_, err := f.GetMechanismInfo(0, CKM_RSA_PKCS)
	f.ok(err)
}

// TestSealedSecrets: what is secret of a key is shown only where the caller asked for one that shows it.
func TestSealedSecrets(t *testing.T) {
	f := newSealing(t)
	secrets := []uint{CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT}
	for _, token := range []bool{true, false} {
		public, hidden := f.rsaPair(nil, []any{CKA_TOKEN, token})
		_, shown := f.rsaPair(nil, []any{CKA_TOKEN, token, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true})
		for _, typ := range append(secrets, privateKeyInfo) {
			n := uint(0)
			code := CKR_ATTRIBUTE_SENSITIVE
			if typ == privateKeyInfo {
				code = CKR_ATTRIBUTE_TYPE_INVALID
				want(t, "info", f.GetAttributeValue(f.h, shown, []Query{{Type: typ, Length: &n}, {Type: CKA_PRIME_1, Length: new(uint)}}), code)
			} else if len(f.value(shown, typ)) == 0 {
				t.Errorf("attribute %#x is empty", typ)
			}
			want(t, "secret", f.GetAttributeValue(f.h, hidden, []Query{{Type: typ, Length: &n}}), code)
		}
		_ = public
	}
}

// TestSealedAES encrypts with a key of the token, in one part and in several.
func TestSealedAES(t *testing.T) {
	f := newSealing(t)
	for _, token := range []bool{true, false} {
		key, err := f.GenerateKey(f.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, uint(32), CKA_TOKEN, token,
			CKA_ENCRYPT, true, CKA_DECRYPT, true, CKA_SENSITIVE, false, CKA_EXTRACTABLE, true))
		f.ok(err)
		iv := bytes.Repeat([]byte{3}, 16)
		m := &Mechanism{Type: CKM_AES_CBC_PAD, Parameter: iv}
		f.ok(f.EncryptInit(f.h, m, key))
		size := sizeOnly()
		f.ok(f.Encrypt(f.h, digest32, size))
		out, text := buffer(int(*size.Length))
		f.ok(f.Encrypt(f.h, digest32, out))
		block, err := aes.NewCipher(f.value(key, CKA_VALUE))
		f.ok(err)
		wanted := append(bytes.Clone(digest32), bytes.Repeat([]byte{16}, 16)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(wanted, wanted)
		if !bytes.Equal(text, wanted) {
			t.Errorf("encrypted to %x, want %x", text, wanted)
		}

		f.ok(f.DecryptInit(f.h, m, key))
		want(t, "too small", f.Decrypt(f.h, text, room(31)), CKR_BUFFER_TOO_SMALL)
		out, plain := buffer(32)
		f.ok(f.Decrypt(f.h, text, out))
		if !bytes.Equal(plain, digest32) {
			t.Errorf("decrypted to %x", plain)
		}
		f.ok(f.DecryptInit(f.h, m, key))
		var got []byte
		for _, part := range [][]byte{text[:17], text[17:]} {
			out, b := buffer(64)
			f.ok(f.DecryptUpdate(f.h, part, out))
			got = append(got, b[:*out.Length]...)
		}
		small, rest := room(0), room(64)
		if len(got) < 32 {
			want(t, "too small at the end", f.DecryptFinal(f.h, small), CKR_BUFFER_TOO_SMALL)
		}
		f.ok(f.DecryptFinal(f.h, rest))
		if got = append(got, rest.Buffer[:*rest.Length]...); !bytes.Equal(got, digest32) {
			t.Errorf("decrypted to %x in parts", got)
		}
		text[0] ^= 1
		f.ok(f.DecryptInit(f.h, m, key))
		f.ok(f.Decrypt(f.h, text, room(64)))
		f.ok(f.DecryptInit(f.h, m, key))
		want(t, "cut", f.Decrypt(f.h, text[1:], room(64)), CKR_ENCRYPTED_DATA_LEN_RANGE)
	}
}

// TestSealedLogout: an operation with a sealed key ends with the login.
func TestSealedLogout(t *testing.T) {
	f := newSealing(t)
	_, private := f.rsaPair(nil, []any{CKA_TOKEN, true})
	other := f.session(CKF_RW_SESSION)
	for _, h := range []uint{f.h, other} {
		f.ok(f.SignInit(h, &Mechanism{Type: CKM_RSA_PKCS}, private))
	}
	f.ok(f.Logout(f.h))
	for _, h := range []uint{f.h, other} {
		want(t, "sign", f.Sign(h, digest32, room(256)), CKR_OPERATION_NOT_INITIALIZED)
	}
	want(t, "begin", f.SignInit(f.h, &Mechanism{Type: CKM_RSA_PKCS}, private), CKR_KEY_HANDLE_INVALID)
}

// TestNotSealed: without sealed keys there is nothing but the device's, and what was sealed is not seen.
func TestNotSealed(t *testing.T) {
	f := newSealing(t)
	f.rsaPair([]any{CKA_TOKEN, true, CKA_LABEL, "web"}, []any{CKA_TOKEN, true, CKA_LABEL, "web"})
	other := openIn(t, f.dir, Options{})
	other.h = other.session(CKF_RW_SESSION)
	other.login(CKU_USER)
	if found := other.search(CKA_LABEL, "web"); len(found) != 0 {
		t.Errorf("found %d", len(found))
	}
	_, err := other.GetMechanismInfo(0, CKM_RSA_PKCS)
	want(t, "mechanism", err, CKR_MECHANISM_INVALID)
	_, _, err = other.GenerateKeyPair(other.h, &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN}, is(CKA_MODULUS_BITS, uint(2048)), nil)
	want(t, "key pair", err, CKR_MECHANISM_INVALID)
	_, err = other.GenerateKey(other.h, &Mechanism{Type: CKM_AES_KEY_GEN}, is(CKA_VALUE_LEN, uint(16)))
	want(t, "key", err, CKR_FUNCTION_NOT_SUPPORTED)
}

// TestOneHalfFails: of a key pair of which one half cannot be kept, there is not the other one either, whatever its template says.
func TestOneHalfFails(t *testing.T) {
	f := newSealing(t)
	for _, private := range []bool{true, false} {
		f.device.Fail("Random", 1, scm.ErrDevice)
		_, _, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN},
			is(CKA_MODULUS_BITS, uint(2048), CKA_TOKEN, !private, CKA_DESTROYABLE, false), is(CKA_TOKEN, private, CKA_DESTROYABLE, false))
		want(t, "one half", err, CKR_DEVICE_ERROR)
		if found := f.search(CKA_KEY_TYPE, uint(CKK_RSA)); len(found) > 0 {
			t.Errorf("%d halves are there", len(found))
		}
	}
}

// TestLoginForEachUse: a login for each use is only for keys of a user, so that none is asked for in vain.
func TestLoginForEachUse(t *testing.T) {
	f := newSealing(t)
	list := is(CKA_PRIVATE, false, CKA_ALWAYS_AUTHENTICATE, true)
	_, _, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN}, is(CKA_MODULUS_BITS, uint(2048)), list)
	want(t, "generated", err, CKR_TEMPLATE_INCONSISTENT)
	_, err = f.CreateObject(f.h, append(rsaTemplate(knownRSA()), list...))
	want(t, "brought in", err, CKR_TEMPLATE_INCONSISTENT)
}
