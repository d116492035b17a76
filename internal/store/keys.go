// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"database/sql"
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
	k.secret = secret.New(len(tokenSecret))
	copy(k.secret.Bytes(), tokenSecret)
	k.seal = derive(tokenSecret, "seal records")
	k.authenticate = derive(tokenSecret, "authenticate records of format 2")
	k.format1 = derive(tokenSecret, "authenticate records")
	k.index = derive(tokenSecret, "index records")
	return k
}

func fingerprint(tokenSecret []byte) []byte {
	f := make([]byte, keySize)
	secret.Derive(f, tokenSecret, nil, purposes+"fingerprint")
	return f
}

// purposes is what the purpose of every key begins with.
const purposes = "libzk_pkcs11 "

func derive(tokenSecret []byte, purpose string) *secret.Buffer {
	key := secret.New(keySize)
	secret.Derive(key.Bytes(), tokenSecret, nil, purposes+purpose)
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
func code(key *secret.Buffer, encoded []byte) []byte {
	sum := secret.MAC(key.Bytes(), encoded)
	return sum[:]
}

// seal encrypts and authenticates plain, and authenticates what goes with it.
// The nonce is random and stands in front.
func seal(key *secret.Buffer, plain, with []byte) []byte {
	return secret.Seal(key.Bytes(), plain, with)
}

// open is the reverse of seal. It fails in the same way whatever is wrong. What it returns
// is overwritten when it is out of use; the caller overwrites what must be gone before.
func open(key *secret.Buffer, sealed, with []byte) ([]byte, error) {
	plain := secret.Make(max(0, len(sealed)-secret.Overhead))
	if err := secret.Open(key.Bytes(), plain, sealed, with); err != nil {
		return nil, err
	}
	return plain, nil
}
