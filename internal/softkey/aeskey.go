// SPDX-License-Identifier: Apache-2.0

package softkey

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"sync"

	"libzk_pkcs11/internal/secret"
)

// AES is a key of 128, 192 or 256 bits. Its ciphers are made once.
type AES struct {
	Secret
	once  sync.Once
	block cipher.Block
	gcm   cipher.AEAD // with IVs of 12 bytes and tags of 16
}

// NewAES returns a key of 16, 24 or 32 bytes, which stay the caller's.
func NewAES(b []byte) (*AES, error) {
	if err := checkAES(len(b)); err != nil {
		return nil, err
	}
	return &AES{Secret: Secret{value: newValue(b)}}, nil
}

// GenerateAES returns a random key of 16, 24 or 32 bytes.
func GenerateAES(n int) (*AES, error) {
	if err := checkAES(n); err != nil {
		return nil, err
	}
	s, err := GenerateSecret(n)
	if err != nil {
		return nil, err
	}
	return &AES{Secret: Secret{value: s.value}}, nil
}

func checkAES(n int) error {
	switch n {
	case 16, 24, 32:
		return nil
	}
	return fmt.Errorf("AES key of %d bytes: %w", n, ErrKeySize)
}

// ciphers returns the key in the forms that compute. They are on the heap, and overwritten
// when the collector finds the key out of use.
func (k *AES) ciphers() (cipher.Block, cipher.AEAD) {
	k.once.Do(k.expand)
	return k.block, k.gcm
}

func (k *AES) expand() {
	key := k.Value()
	defer clear(key)
	secret.Do(func() {
		var err error
		if k.block, err = aes.NewCipher(key); err != nil {
			panic("softkey: " + err.Error()) // of the length of the key
		}
		if k.gcm, err = cipher.NewGCM(k.block); err != nil {
			panic("softkey: " + err.Error()) // of another cipher than AES
		}
	})
}

// CheckValue returns the three bytes of CKA_CHECK_VALUE: the first ones of a block of zeros, encrypted.
func (k *AES) CheckValue() []byte {
	block, _ := k.ciphers()
	var b [aes.BlockSize]byte
	block.Encrypt(b[:], b[:])
	return b[:3]
}
