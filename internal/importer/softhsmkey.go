// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
)

// What a PIN of SoftHSM2 opens: a salt of 8 bytes, then a key of 32 bytes behind a mark, sealed.
const (
	softSalt       = 8
	softMark       = "RJR"
	softKeySize    = 32
	softIterations = 1500
)

// openSoftKey returns the key of private objects. ErrPIN.
func openSoftKey(blob, pin []byte) ([]byte, error) {
	if len(blob) != softSalt+2*aes.BlockSize+softKeySize {
		return nil, fmt.Errorf("the PIN in token.object %w%s", ErrDamaged, locked)
	}
	wrapping := softPINKey(blob[:softSalt], pin)
	defer clear(wrapping)
	plain, err := openSoftValue(wrapping, blob[softSalt:])
	if err != nil || len(plain) != len(softMark)+softKeySize || !bytes.HasPrefix(plain, []byte(softMark)) {
		return nil, ErrPIN
	}
	return plain[len(softMark):], nil
}

// softPINKey makes the key of a PIN: SHA-256 of salt and PIN, hashed again as often as the salt's last byte says, and
// at least 1,500 times.
func softPINKey(salt, pin []byte) []byte {
	sum := sha256.Sum256(append(bytes.Clone(salt), pin...))
	for range softIterations + int(salt[softSalt-1]) - 1 {
		sum = sha256.Sum256(sum[:])
	}
	return sum[:]
}

// openSoftValue opens AES-256-CBC with the initial vector in front and padding at the end.
func openSoftValue(key, sealed []byte) ([]byte, error) {
	if len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, ErrDamaged
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(plain, sealed[aes.BlockSize:])
	content, ok := unpad(plain, aes.BlockSize)
	if !ok {
		return nil, ErrDamaged
	}
	return content, nil
}
