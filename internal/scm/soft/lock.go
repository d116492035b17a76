// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"

	"libzk_pkcs11/internal/scm"
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

// Names of the secrets from which the keys of Lock come.
const (
	oneWayLock = "one-way lock"
	sharedLock = "shared lock"
)

func addLockKeys(tx *sql.Tx, r *root) error {
	secret := make([]byte, keySize)
	defer clear(secret)
	for _, name := range []string{oneWayLock, sharedLock} {
		rand.Read(secret)
		if err := writeSecret(tx, r, name, secret); err != nil {
			return err
		}
	}
	return nil
}

// Lock encrypts and signs data so that only this SCM opens it, under its one-way
// key or the one that it shares.
func (d *Device) Lock(plain []byte, shared bool) ([]byte, error) {
	if most := d.options.MaxLock; most > 0 && len(plain) > most || len(plain) > math.MaxInt32 {
		return nil, fmt.Errorf("%d bytes to lock: %w", len(plain), scm.ErrInput)
	}
	k, err := d.lockKeys(shared)
	if err != nil {
		return nil, err
	}
	defer k.clear()
	return k.lock(plain)
}

// Unlock undoes Lock with the same key. ErrAuth for data that is not what Lock of
// this SCM has returned.
func (d *Device) Unlock(locked []byte, shared bool) ([]byte, error) {
	k, err := d.lockKeys(shared)
	if err != nil {
		return nil, err
	}
	defer k.clear()
	return k.unlock(locked)
}

// lockKeys are the two keys of locked data.
type lockKeys struct{ cipher, tag []byte }

func (k lockKeys) clear() {
	clear(k.cipher)
	clear(k.tag)
}

func (d *Device) lockKeys(shared bool) (lockKeys, error) {
	name := oneWayLock
	if shared {
		name = sharedLock
	}
	d.wait(d.options.Latency.Lock)
	secret, err := d.secret(name)
	if err != nil {
		return lockKeys{}, err
	}
	defer clear(secret)
	both, err := hkdf.Key(sha256.New, secret, nil, "zk_pkcs11 soft SCM "+name, keySize+tagSize)
	if err != nil {
		return lockKeys{}, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return lockKeys{both[:keySize], both[keySize:]}, nil
}

// secret returns a secret of the device itself.
func (d *Device) secret(name string) ([]byte, error) {
	s, err := d.open()
	if err != nil {
		return nil, err
	}
	return s.root.unseal(secretContext(name), s.secrets[name], keySize)
}

func (k lockKeys) lock(plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	out := make([]byte, headerSize, headerSize+len(plain)+aes.BlockSize+trailerSize)
	copy(out, lockMagic[:])
	binary.BigEndian.PutUint32(out[len(lockMagic):], uint32(len(plain)))
	out = append(out, plain...)
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	out = append(out, bytes.Repeat([]byte{byte(padding)}, padding)...)
	body, iv := out[headerSize:], make([]byte, aes.BlockSize)
	rand.Read(iv)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(body, body)
	out = append(out, iv...)
	return append(out, k.sum(out)...), nil
}

func (k lockKeys) sum(data []byte) []byte {
	mac := hmac.New(sha512.New384, k.tag)
	mac.Write(data)
	return mac.Sum(nil)
}

func (k lockKeys) unlock(locked []byte) ([]byte, error) {
	size := len(locked) - headerSize - trailerSize
	if size <= 0 || size%aes.BlockSize != 0 {
		return nil, fmt.Errorf("locked data of %d bytes: %w", len(locked), scm.ErrAuth)
	}
	signed, tag := locked[:len(locked)-tagSize], locked[len(locked)-tagSize:]
	if !hmac.Equal(tag, k.sum(signed)) {
		return nil, scm.ErrAuth
	}
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	plain, iv := make([]byte, size), signed[headerSize+size:]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, signed[headerSize:headerSize+size])
	return plain[:binary.BigEndian.Uint32(locked[len(lockMagic):])], nil
}
