// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"libzk_pkcs11/internal/secret"
)

// keySize is the length in bytes of the AES-256 keys: the root key and the key
// made of the secret that seals it.
const keySize = 32

// rootInfo tells the key made of a secret for the root key from keys that
// others may make of the same secret.
const rootInfo = "zk_pkcs11 soft SCM root key"

// seal encrypts plain under key and binds it to context, what the plain text
// is. Every sealing has its own random nonce.
func seal(key, plain, context []byte) (blob []byte, err error) {
	secret.Do(func() {
		var aead cipher.AEAD // holds copies of the key
		if aead, err = newAEAD(key); err == nil {
			blob = aead.Seal(nil, nil, plain, context)
		}
	})
	return blob, err
}

// unseal undoes seal into plain, which has the exact length. It fails when the
// key or the context is not the one of seal, or the blob was changed.
func unseal(key, blob, context, plain []byte) (err error) {
	secret.Do(func() {
		var aead cipher.AEAD // holds copies of the key
		if aead, err = newAEAD(key); err != nil {
			return
		}
		if len(blob) != len(plain)+aead.Overhead() {
			err = fmt.Errorf("sealed blob of %d bytes", len(blob))
			return
		}
		_, err = aead.Open(plain[:0], nil, blob, context)
	})
	return err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// context binds what is sealed beside a key to the slot, curve, kind and public
// key, so that blobs cannot change places.
func (k *sealedKey) context() []byte {
	b := []byte("zk_pkcs11 soft SCM key")
	b = binary.BigEndian.AppendUint64(b, uint64(k.Slot))
	b = append(b, byte(k.Curve), byte(k.kind))
	return append(b, k.Public...)
}

// secretContext binds a secret of the device itself to its name.
func secretContext(name string) []byte {
	return append([]byte("zk_pkcs11 soft SCM secret "), name...)
}

// rootSealer is the key that seals the root key with the given identity.
func rootSealer(pass, id []byte) (key []byte, err error) {
	secret.Do(func() { key, err = hkdf.Key(sha256.New, pass, id, rootInfo, keySize) })
	return key, err
}
