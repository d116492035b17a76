// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// TestRSASignatures: what RSA signs here is what others verify, with the hash that the mechanism names.
func TestRSASignatures(t *testing.T) {
	x := newTrial(t)
	key := x.publicOfObject(x.public[rsaKeys]).(*rsa.PublicKey)
	for typ, row := range rsaMechanisms {
		if row.hash == 0 {
			continue
		}
		h := row.hash.New()
		h.Write(digest32)
		signature := x.signLong(x.example(typ, &row), x.private[rsaKeys], digest32)
		var err error
		if row.params == nil {
			err = rsa.VerifyPKCS1v15(key, row.hash, h.Sum(nil), signature)
		} else {
			err = rsa.VerifyPSS(key, row.hash, h.Sum(nil), signature, nil)
		}
		if err != nil {
			t.Errorf("%s: %v", MechanismName(typ), err)
		}
	}
	pss := &Mechanism{Type: CKM_RSA_PKCS_PSS, Parameter: numbersOf(CKM_SHA256, CKG_MGF1_SHA256, 32)}
	x.ok(rsa.VerifyPSS(key, crypto.SHA256, digest32, x.signLong(pss, x.private[rsaKeys], digest32), nil))
}

// TestRSADecryption decrypts what others have encrypted.
func TestRSADecryption(t *testing.T) {
	x := newTrial(t)
	key := x.publicOfObject(x.public[rsaKeys]).(*rsa.PublicKey)
	text, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key, digest32, []byte("label"))
	x.ok(err)
	m := parameters[CKM_RSA_PKCS_OAEP].right[0]
	x.ok(x.DecryptInit(x.h, &m, x.private[rsaKeys]))
	out, plain := buffer(32)
	x.ok(x.Decrypt(x.h, text, out))
	if !bytes.Equal(plain, digest32) {
		t.Errorf("decrypted to %x", plain)
	}
}

// TestRSALengths: data that a key has no room for, and texts of other lengths.
func TestRSALengths(t *testing.T) {
	x := newTrial(t)
	private, public := x.private[rsaKeys], x.public[rsaKeys]
	oaep := parameters[CKM_RSA_PKCS_OAEP].right[0]
	pss := Mechanism{Type: CKM_RSA_PKCS_PSS, Parameter: numbersOf(CKM_SHA256, CKG_MGF1_SHA256, 32)}
	for _, c := range []struct {
		m           Mechanism
		sign, crypt int // one byte too many
	}{
		{Mechanism{Type: CKM_RSA_PKCS}, 246, 246},
		{Mechanism{Type: CKM_RSA_X_509}, 257, 257},
		{oaep, 0, 191},
		{pss, 33, 0},
		{pss, 31, 0},
	} {
		name := MechanismName(c.m.Type)
		if c.sign > 0 {
			x.ok(x.SignInit(x.h, &c.m, private))
			want(t, name, x.Sign(x.h, make([]byte, c.sign), room(256)), CKR_DATA_LEN_RANGE)
			x.ok(x.VerifyInit(x.h, &c.m, public))
			want(t, name, x.Verify(x.h, make([]byte, c.sign), make([]byte, 256)), CKR_DATA_LEN_RANGE)
		}
		if c.crypt == 0 {
			continue
		}
		x.ok(x.EncryptInit(x.h, &c.m, public))
		want(t, name, x.Encrypt(x.h, make([]byte, c.crypt), room(256)), CKR_DATA_LEN_RANGE)
		for _, n := range []int{0, 255, 257} {
			x.ok(x.DecryptInit(x.h, &c.m, private))
			want(t, name, x.Decrypt(x.h, make([]byte, n), room(300)), CKR_ENCRYPTED_DATA_LEN_RANGE)
		}
	}
	x.ok(x.DecryptInit(x.h, &oaep, private))
	want(t, "no message", x.Decrypt(x.h, bytes.Repeat([]byte{1}, 256), room(300)), CKR_ENCRYPTED_DATA_INVALID)
	x.ok(x.SignInit(x.h, &Mechanism{Type: CKM_RSA_X_509}, private))
	want(t, "more than the modulus", x.Sign(x.h, bytes.Repeat([]byte{255}, 256), room(256)), CKR_DATA_INVALID)
}

// TestRSASizes: keys have 2048 to 4096 bits, and the exponent 65537.
func TestRSASizes(t *testing.T) {
	f := newSealing(t)
	make := func(template ...any) error {
		_, _, err := f.GenerateKeyPair(f.h, &Mechanism{Type: CKM_RSA_PKCS_KEY_PAIR_GEN}, is(template...), nil)
		return err
	}
	for _, bits := range []uint{0, 512, 1024, 2047, 2049, 4104, 1 << 20, ^uint(0)} {
		want(t, "size", make(CKA_MODULUS_BITS, bits), CKR_ATTRIBUTE_VALUE_INVALID)
	}
	want(t, "no size", make(), CKR_TEMPLATE_INCOMPLETE)
	want(t, "exponent", make(CKA_MODULUS_BITS, uint(2048), CKA_PUBLIC_EXPONENT, "\x03"), CKR_ATTRIBUTE_VALUE_INVALID)
	want(t, "exponent", make(CKA_MODULUS_BITS, uint(2048), CKA_PUBLIC_EXPONENT, "\x00\x01\x00\x01"), CKR_OK)
}

// TestRSAUsage: a key does what its attributes say, and no more.
func TestRSAUsage(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_VERIFY, false, CKA_ENCRYPT, false}, []any{CKA_SIGN, false, CKA_DECRYPT, false})
	m := &Mechanism{Type: CKM_RSA_PKCS}
	for _, err := range []error{
		f.SignInit(f.h, m, private), f.VerifyInit(f.h, m, public), f.EncryptInit(f.h, m, public), f.DecryptInit(f.h, m, private),
	} {
		want(t, "use", err, CKR_KEY_FUNCTION_NOT_PERMITTED)
	}
	want(t, "the other half", f.SignInit(f.h, m, public), CKR_KEY_TYPE_INCONSISTENT)
	want(t, "the other half", f.DecryptInit(f.h, m, public), CKR_KEY_TYPE_INCONSISTENT)
}

// TestDecryptAlwaysAuthenticate: a key that wants a login for each use gets one for a decryption, too.
func TestDecryptAlwaysAuthenticate(t *testing.T) {
	f := newSealing(t)
	public, private := f.rsaPair([]any{CKA_ENCRYPT, true}, []any{CKA_DECRYPT, true, CKA_ALWAYS_AUTHENTICATE, true})
	m := &Mechanism{Type: CKM_RSA_PKCS}
	f.ok(f.EncryptInit(f.h, m, public))
	out, text := buffer(256)
	f.ok(f.Encrypt(f.h, digest32, out))
	f.ok(f.DecryptInit(f.h, m, private))
	want(t, "without a login", f.Decrypt(f.h, text, room(256)), CKR_USER_NOT_LOGGED_IN)
	f.ok(f.DecryptInit(f.h, m, private))
	f.login(CKU_CONTEXT_SPECIFIC)
	plain := room(256)
	f.ok(f.Decrypt(f.h, text, plain))
	if !bytes.Equal(plain.Buffer[:*plain.Length], digest32) {
		t.Error("decrypted to something else")
	}
	f.ok(f.DecryptInit(f.h, m, private))
	want(t, "the next one", f.Decrypt(f.h, text, room(256)), CKR_USER_NOT_LOGGED_IN)
}
