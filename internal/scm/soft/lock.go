// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// Locked data is a header, blocks of AES-256 in CBC mode, and a trailer of 64
// bytes: the initial vector, and HMAC-SHA384 over everything before it. The
// lengths are those of the vendor's locked data; the rest of its form is not
// known.
const (
	headerSize  = 8
	tagSize     = sha512.Size384
	trailerSize = aes.BlockSize + tagSize
)

// lockMagic begins the header; the length of the plain data follows it.
var lockMagic = [...]byte{'Z', 'K', 'L', 1}

// lockSecrets are the names of the secrets from which the keys of Lock come.
var lockSecrets = [...]string{scm.OneWayKey: "one-way lock", scm.SharedKey: "shared lock"}

func addLockKeys(tx *sql.Tx, r *root) error {
	secret := make([]byte, keySize)
	defer clear(secret)
	for _, name := range lockSecrets {
		rand.Read(secret)
		if err := writeSecret(tx, r, name, secret); err != nil {
			return err
		}
	}
	return nil
}

// Lock encrypts and signs data so that only this SCM opens it.
func (d *Device) Lock(plain []byte, under scm.LockKey) ([]byte, error) {
	if most := d.options.MaxLock; most > 0 && len(plain) > most || len(plain) > math.MaxInt32 {
		return nil, fmt.Errorf("%d bytes to lock: %w", len(plain), scm.ErrInput)
	}
	k, err := d.deriveLockKeys(under)
	if err != nil {
		return nil, err
	}
	defer k.eraseKeys()
	return k.lockData(plain), nil
}

// Unlock undoes Lock with the same key. ErrAuth for data that is not what Lock of
// this SCM has returned. The caller overwrites what it returns.
func (d *Device) Unlock(locked []byte, under scm.LockKey) ([]byte, error) {
	k, err := d.deriveLockKeys(under)
	if err != nil {
		return nil, err
	}
	defer k.eraseKeys()
	return k.unlockData(locked)
}

// lockKeys are the two keys of locked data.
type lockKeys struct{ cipher, tag []byte }

func (k lockKeys) eraseKeys() {
	clear(k.cipher)
	clear(k.tag)
}

func (d *Device) deriveLockKeys(under scm.LockKey) (lockKeys, error) {
	name := lockSecrets[under]
	d.waitLatency(d.options.Latency.Lock)
	root, err := d.secret(name)
	if err != nil {
		return lockKeys{}, err
	}
	defer clear(root)
	both := make([]byte, keySize+tagSize)
	secret.Derive(both, root, nil, "zk_pkcs11 soft SCM "+name)
	return lockKeys{both[:keySize], both[keySize:]}, nil
}

// secret returns a secret of the device itself.
func (d *Device) secret(name string) ([]byte, error) {
	s, err := d.usable()
	if err != nil {
		return nil, err
	}
	return s.root.unseal(secretContext(name), s.secrets[name], keySize)
}

func (k lockKeys) lockData(plain []byte) []byte {
	out := make([]byte, headerSize, headerSize+len(plain)+aes.BlockSize+trailerSize)
	copy(out, lockMagic[:])
	binary.BigEndian.PutUint32(out[len(lockMagic):], uint32(len(plain)))
	out = append(out, plain...)
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	out = append(out, bytes.Repeat([]byte{byte(padding)}, padding)...)
	body, iv := out[headerSize:], make([]byte, aes.BlockSize)
	rand.Read(iv)
	secret.WithAES(k.cipher, func(block cipher.Block) {
		mode := cipher.NewCBCEncrypter(block, iv)
		defer secret.Erase(mode)
		mode.CryptBlocks(body, body)
	})
	out = append(out, iv...)
	tag := secret.MAC384(k.tag, out)
	return append(out, tag[:]...)
}

func (k lockKeys) unlockData(locked []byte) ([]byte, error) {
	size := len(locked) - headerSize - trailerSize
	if size <= 0 || size%aes.BlockSize != 0 {
		return nil, fmt.Errorf("locked data of %d bytes: %w", len(locked), scm.ErrAuth)
	}
	signed, tag := locked[:len(locked)-tagSize], locked[len(locked)-tagSize:]
	right := secret.MAC384(k.tag, signed)
	if !hmac.Equal(tag, right[:]) {
		return nil, scm.ErrAuth
	}
	plain, iv := make([]byte, size), signed[headerSize+size:]
	secret.WithAES(k.cipher, func(block cipher.Block) {
		mode := cipher.NewCBCDecrypter(block, iv)
		defer secret.Erase(mode)
		mode.CryptBlocks(plain, signed[headerSize:headerSize+size])
	})
	return plain[:binary.BigEndian.Uint32(locked[len(lockMagic):])], nil
}
