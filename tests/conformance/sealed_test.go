// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"github.com/miekg/pkcs11"

	"libzk_pkcs11/tests/harness/live"
)

// rsaPair makes an RSA key pair that is sealed.
func rsaPair(k *live.Token, s pkcs11.SessionHandle, template ...*pkcs11.Attribute) (public, private pkcs11.ObjectHandle) {
	public, private, err := k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN),
		append([]*pkcs11.Attribute{attr(pkcs11.CKA_MODULUS_BITS, 2048)}, template...), template)
	k.OK(err)
	return public, private
}

// aesKey makes a key of AES that is sealed.
func aesKey(k *live.Token, s pkcs11.SessionHandle, template ...*pkcs11.Attribute) pkcs11.ObjectHandle {
	key, err := k.GenerateKey(s, live.Mechanism(pkcs11.CKM_AES_KEY_GEN), append([]*pkcs11.Attribute{
		attr(pkcs11.CKA_VALUE_LEN, 32), attr(pkcs11.CKA_ENCRYPT, true), attr(pkcs11.CKA_DECRYPT, true),
	}, template...))
	k.OK(err)
	return key
}

// TestSealedKeys makes keys that no key slot can hold, and uses them before and after the library has ended.
func TestSealedKeys(t *testing.T) {
	k := live.New(t)
	s := k.User()
	token, label := attr(pkcs11.CKA_TOKEN, true), attr(pkcs11.CKA_LABEL, "sealed")
	rsaPair(k, s, token, label)
	aesKey(k, s, token, label)
	text := encryptedByAES(k, s)
	k.OK(k.Finalize())
	k.OK(k.Initialize())
	s = k.User()
	if got := encryptedByAES(k, s); !bytes.Equal(got, text) {
		t.Errorf("encrypted to %x, then to %x", text, got)
	}
	private := k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), label)
	public := k.One(s, attr(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), label)
	parsed, err := x509.ParsePKIXPublicKey(k.Attr(s, public, pkcs11.CKA_PUBLIC_KEY_INFO))
	k.OK(err)
	key, sum := parsed.(*rsa.PublicKey), sha256.Sum256([]byte("message"))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], k.Signed(s, pkcs11.CKM_SHA256_RSA_PKCS, private, []byte("message"))); err != nil {
		t.Error(err)
	}
	if err := rsa.VerifyPKCS1v15(key, 0, sum[:], k.Signed(s, pkcs11.CKM_RSA_PKCS, private, sum[:])); err != nil {
		t.Error(err)
	}
	k.OK(k.Logout(s))
	if found := k.Find(s, label); len(found) != 1 {
		t.Errorf("%d objects are seen without a login, want the public key", len(found))
	}
}

// encryptedByAES is a message encrypted with the only key of AES.
func encryptedByAES(k *live.Token, s pkcs11.SessionHandle) []byte {
	key := k.One(s, attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES))
	k.OK(k.EncryptInit(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_CBC_PAD, make([]byte, 16))}, key))
	text, err := k.Encrypt(s, []byte("message"))
	k.OK(err)
	return text
}

// TestSealedKeysOff: with sealed_keys = false there are the SCM's keys alone.
func TestSealedKeysOff(t *testing.T) {
	t.Setenv("ZK_PKCS11_SEALED_KEYS", "false")
	k := live.New(t)
	s := k.User()
	list, err := k.GetMechanismList(0)
	k.OK(err)
	for _, m := range list {
		if m.Mechanism == pkcs11.CKM_RSA_PKCS || m.Mechanism == pkcs11.CKM_AES_KEY_GEN {
			t.Errorf("mechanism 0x%x is in the list", m.Mechanism)
		}
	}
	_, _, err = k.GenerateKeyPair(s, live.Mechanism(pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN), []*pkcs11.Attribute{attr(pkcs11.CKA_MODULUS_BITS, 2048)}, nil)
	k.Want("C_GenerateKeyPair", err, pkcs11.CKR_MECHANISM_INVALID)
	_, err = k.GenerateKey(s, live.Mechanism(pkcs11.CKM_AES_KEY_GEN), []*pkcs11.Attribute{attr(pkcs11.CKA_VALUE_LEN, 32)})
	k.Want("C_GenerateKey", err, pkcs11.CKR_FUNCTION_NOT_SUPPORTED)
}

// imported brings a new key on a curve in that no key slot can hold.
func imported(t *testing.T, k *live.Token, s pkcs11.SessionHandle, c elliptic.Curve) (public, private pkcs11.ObjectHandle) {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	k.OK(err)
	number, err := key.Bytes()
	k.OK(err)
	raw, err := key.PublicKey.Bytes()
	k.OK(err)
	params, err := asn1.Marshal(map[elliptic.Curve]asn1.ObjectIdentifier{
		elliptic.P384(): {1, 3, 132, 0, 34}, elliptic.P521(): {1, 3, 132, 0, 35},
	}[c])
	k.OK(err)
	public, err = k.CreateObject(s, live.PublicKey(pkcs11.CKK_EC, params, raw))
	k.OK(err)
	private, err = k.CreateObject(s, []*pkcs11.Attribute{
		attr(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), attr(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), attr(pkcs11.CKA_EC_PARAMS, params), attr(pkcs11.CKA_VALUE, number),
	})
	k.OK(err)
	return public, private
}
