// SPDX-License-Identifier: Apache-2.0

package secret_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"libzk_pkcs11/internal/secret"
)

func TestSeal(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	for _, size := range []int{0, 1, 32, 1000} {
		plain, got := bytes.Repeat([]byte{'x'}, size), make([]byte, size)
		sealed := secret.Seal(key, plain, []byte("with"))
		if err := secret.Open(key, got, sealed, []byte("with")); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %q, %v", size, got, err)
		}
		sealed[size/2] ^= 1
		if err := secret.Open(key, got, sealed, []byte("with")); err == nil {
			t.Errorf("%d bytes: changed data are opened", size)
		}
		if err := secret.Open(key, got, sealed[1:], []byte("with")); err == nil {
			t.Errorf("%d bytes: shortened data are opened", size)
		}
	}
}

// TestSealIsGCM opens by the library of the standard what Seal has made.
func TestSealIsGCM(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealed := secret.Seal(key, []byte("plain"), []byte("with"))
	plain, err := aead.Open(nil, sealed[:12], sealed[12:], []byte("with"))
	if err != nil || string(plain) != "plain" {
		t.Errorf("%q, %v", plain, err)
	}
}

// TestErase checks that the ciphers are erased whose insides belong to the library of the
// standard: with a key of zeros they would encrypt, with none they do not.
func TestErase(t *testing.T) {
	var kept cipher.Block
	secret.WithAES(bytes.Repeat([]byte{7}, 32), func(b cipher.Block) { kept = b })
	before, after := make([]byte, 16), make([]byte, 16)
	fresh, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	fresh.Encrypt(before, before)
	func() {
		defer func() { _ = recover() }() // it has no rounds any more
		kept.Encrypt(after, after)
	}()
	if bytes.Equal(before, after) {
		t.Error("a cipher goes on with its key")
	}
}

func TestEraseField(t *testing.T) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret.EraseField(k, "privateKey")
	if !bytes.Equal(k.Bytes(), make([]byte, 32)) {
		t.Error("the private key is there still")
	}
}
