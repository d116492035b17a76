// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

// TestRSA signs and decrypts with an RSA key pair that crypto11 makes and finds.
func TestRSA(t *testing.T) {
	k := open(t)
	if _, err := k.GenerateRSAKeyPairWithLabel([]byte("rsa"), []byte("rsa"), 2048); err != nil {
		t.Fatal(err)
	}
	signer, err := k.FindKeyPair([]byte("rsa"), nil)
	if err != nil || signer == nil {
		t.Fatal(signer, err)
	}
	public, sum := signer.Public().(*rsa.PublicKey), sha256.Sum256([]byte("a message"))
	signature, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil || rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) != nil {
		t.Errorf("PKCS #1: %x, %v", signature, err)
	}
	signature, err = signer.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256})
	if err != nil || rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, nil) != nil {
		t.Errorf("PSS: %x, %v", signature, err)
	}
	text, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, []byte("a secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := signer.(crypto.Decrypter).Decrypt(nil, text, &rsa.OAEPOptions{Hash: crypto.SHA256})
	if err != nil || string(got) != "a secret" {
		t.Errorf("OAEP: %q, %v", got, err)
	}
}

// TestServerWithRSA serves TLS 1.2 and 1.3 with an RSA key of the token.
func TestServerWithRSA(t *testing.T) {
	k := open(t)
	ca := k.authority(t)
	signer, err := k.GenerateRSAKeyPairWithLabel([]byte("rsa"), []byte("rsa"), 2048)
	if err != nil {
		t.Fatal(err)
	}
	server := ca.issue(t, pair{signer, []byte("rsa")}, "localhost", x509.ExtKeyUsageServerAuth)
	client := ca.issue(t, k.generate(t, "client"), "client", x509.ExtKeyUsageClientAuth)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: ca.pool(), ClientAuth: tls.RequireAndVerifyClientCert})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if err := visit(address, &tls.Config{
			Certificates: []tls.Certificate{client}, RootCAs: ca.pool(), ServerName: "localhost", MinVersion: version, MaxVersion: version,
		}); err != nil {
			t.Errorf("%x: %v", version, err)
		}
	}
}

// TestGCM encrypts with an AES key of the token by crypto11's AEAD.
func TestGCM(t *testing.T) {
	k := open(t)
	key, err := k.GenerateSecretKeyWithLabel([]byte("aes"), []byte("aes"), 256, crypto11.CipherAES)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := key.NewGCM()
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, aead.NonceSize())
	text := aead.Seal(nil, nonce, []byte("a secret"), []byte("known"))
	got, err := aead.Open(nil, nonce, text, []byte("known"))
	if err != nil || string(got) != "a secret" {
		t.Errorf("opened %q, %v", got, err)
	}
	text[0] ^= 1
	if _, err := aead.Open(nil, nonce, text, []byte("known")); err == nil {
		t.Error("a text that was changed is opened")
	}
}

// TestHMAC makes authentication codes with a generic secret of the token.
func TestHMAC(t *testing.T) {
	k := open(t)
	key, err := k.GenerateSecretKeyWithLabel([]byte("mac"), []byte("mac"), 256, crypto11.CipherGeneric)
	if err != nil {
		t.Fatal(err)
	}
	codes := [2][]byte{}
	for i := range codes {
		h, err := key.NewHMAC(pkcs11.CKM_SHA256_HMAC, 0)
		if err != nil {
			t.Fatal(err)
		}
		h.Write([]byte("a mess"))
		h.Write([]byte("age"))
		codes[i] = h.Sum(nil)
	}
	if len(codes[0]) != sha256.Size || !hmac.Equal(codes[0], codes[1]) || bytes.Equal(codes[0], make([]byte, sha256.Size)) {
		t.Errorf("codes %x", codes)
	}
}
