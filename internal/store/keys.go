// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"slices"
	"sync"
	"sync/atomic"

	"libzk_pkcs11/internal/secret"
)

// The sizes of the token's secret and of the keys derived from it.
const (
	secretSize = 32
	keySize    = 32
)

// keys are what an unlocked store derives from the token's secret with HKDF,
// RFC 5869. Nil keys are those of a locked store.
type keys struct {
	secret       *secret.Buffer // the token's secret itself, for SetPIN
	seal         *secret.Buffer // AES-256-GCM, attributes and values of private records
	authenticate *secret.Buffer // HMAC-SHA256, records
	format1      *secret.Buffer // HMAC-SHA256, records as version 0.1.0 wrote them
	index        *secret.Buffer // HMAC-SHA256, terms of private records
	fingerprint  []byte         // tells the secret from others, and no more
	checked      atomic.Uint64  // a version of the part secretPart at which the token had the secret
	users        int            // see keyring
}

func deriveKeys(tokenSecret []byte, version uint64) *keys {
	k := &keys{fingerprint: fingerprint(tokenSecret)}
	k.checked.Store(version)
	secret.Do(func() {
		k.secret = secret.From(slices.Clone(tokenSecret))
		k.seal = secret.From(derive(tokenSecret, "seal records"))
		k.authenticate = secret.From(derive(tokenSecret, "authenticate records of format 2"))
		k.format1 = secret.From(derive(tokenSecret, "authenticate records"))
		k.index = secret.From(derive(tokenSecret, "index records"))
	})
	return k
}

func fingerprint(tokenSecret []byte) (f []byte) {
	secret.Do(func() { f = derive(tokenSecret, "fingerprint") }) // HMAC holds a copy of the secret
	return f
}

// derive cannot fail: RFC 5869 allows outputs a hundred times as long.
func derive(tokenSecret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, tokenSecret, nil, "libzk_pkcs11 "+purpose, keySize)
	if err != nil {
		panic("store: " + err.Error())
	}
	return key
}

func (k *keys) destroy() {
	for _, b := range [...]*secret.Buffer{k.secret, k.seal, k.authenticate, k.format1, k.index} {
		b.Destroy()
	}
}

// keyring holds the keys of a store. Whoever uses them keeps them from being destroyed
// until he has finished; nobody waits for him.
type keyring struct {
	mu  sync.Mutex // held for a moment, for users
	now atomic.Pointer[keys]
}

// take returns the keys, nil when the store is locked. They are to be given back.
func (r *keyring) take() *keys {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.now.Load()
	if k != nil {
		k.users++
	}
	return k
}

// giveBack ends take.
func (r *keyring) giveBack(k *keys) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(k)
}

// set gives the store other keys, or none.
func (r *keyring) set(k *keys) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k != nil {
		k.users = 1 // the ring itself
	}
	r.leave(r.now.Swap(k))
}

func (r *keyring) leave(k *keys) {
	if k == nil {
		return
	}
	if k.users--; k.users == 0 {
		k.destroy()
	}
}

// isFingerprint tells whether f is the fingerprint of the token's secret.
func isFingerprint(tx *sql.Tx, f []byte) (bool, error) {
	var now []byte
	err := tx.QueryRow("SELECT fingerprint FROM token").Scan(&now)
	return err == nil && bytes.Equal(now, f), err
}

// code authenticates an encoded record.
func code(key *secret.Buffer, encoded []byte) (code []byte) {
	secret.Do(func() {
		mac := hmac.New(sha256.New, key.Bytes()) // holds copies of the key
		mac.Write(encoded)
		code = mac.Sum(nil)
	})
	return code
}

// seal encrypts and authenticates plain, and authenticates what goes with it.
// The nonce is random and stands in front.
func seal(key *secret.Buffer, plain, with []byte) (sealed []byte) {
	secret.Do(func() { sealed = newAEAD(key).Seal(nil, nil, plain, with) })
	return sealed
}

// open is the reverse of seal. It fails in the same way whatever is wrong.
func open(key *secret.Buffer, sealed, with []byte) (plain []byte, err error) {
	secret.Do(func() { plain, err = newAEAD(key).Open(nil, nil, sealed, with) })
	return plain, err
}

// newAEAD cannot fail with a key of keySize bytes.
func newAEAD(key *secret.Buffer) cipher.AEAD {
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		panic("store: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("store: " + err.Error())
	}
	return aead
}
