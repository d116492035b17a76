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
// RFC 5869, those of private records from the token's root, too. Nil keys are those of a
// locked store.
type keys struct {
	secret       *secret.Buffer // the token's secret itself, for SetPIN
	seal         *secret.Buffer // AES-256-GCM, attributes and values of private records; nil without the root
	authenticate *secret.Buffer // HMAC-SHA256, records
	format1      *secret.Buffer // HMAC-SHA256, records as version 0.1.0 wrote them
	index        *secret.Buffer // HMAC-SHA256, terms of private records; nil without the root
	prints       prints         // of what the keys come from
	checked      atomic.Uint64  // a version of the part secretPart at which the token had these
	users        int            // see keyring
}

// deriveKeys returns the keys that the secret gives without the root.
func deriveKeys(tokenSecret []byte, version uint64) *keys {
	k := &keys{prints: prints{secret: fingerprint(tokenSecret, nil)}}
	k.checked.Store(version)
	k.secret = secret.New(len(tokenSecret))
	copy(k.secret.Bytes(), tokenSecret)
	k.authenticate = derive(tokenSecret, nil, "authenticate records of format 2")
	k.format1 = derive(tokenSecret, nil, "authenticate records")
	return k
}

// addRoot derives the keys of private records: nil is the root of a token that has none.
func (k *keys) addRoot(root []byte) {
	tokenSecret := k.secret.Bytes()
	k.prints.whole = fingerprint(tokenSecret, root)
	k.seal = derive(tokenSecret, root, "seal records")
	k.index = derive(tokenSecret, root, "index records")
}

// canOpen reports whether private records can be read and written.
func (k *keys) canOpen() bool { return k != nil && k.seal != nil }

// missing is the error of keys that cannot open private records.
func (k *keys) missing() error {
	if k == nil {
		return ErrLocked
	}
	return ErrRoot
}

// fingerprint tells what keys come from from anything else, and no more.
func fingerprint(tokenSecret, root []byte) []byte {
	f := make([]byte, keySize)
	secret.Derive(f, tokenSecret, root, purposes+"fingerprint")
	return f
}

// purposes is what the purpose of every key begins with.
const purposes = "libzk_pkcs11 "

// derive makes a key of the secret and, if there is one, the root: both are needed.
func derive(tokenSecret, root []byte, purpose string) *secret.Buffer {
	key := secret.New(keySize)
	secret.Derive(key.Bytes(), tokenSecret, root, purposes+purpose)
	return key
}

func (k *keys) destroy() {
	for _, b := range [...]*secret.Buffer{k.secret, k.seal, k.authenticate, k.format1, k.index} {
		b.Destroy()
	}
}

// keyring holds the keys of a store. A call that uses them keeps them from being destroyed
// until it has finished; nobody waits for it.
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

// prints are the fingerprints of what opens a token.
type prints struct {
	secret []byte // of the secret
	whole  []byte // of the secret with the root, of the secret alone in a token without one
}

func readPrints(tx *sql.Tx) (p prints, err error) {
	err = tx.QueryRow("SELECT secret_fingerprint, fingerprint FROM token").Scan(&p.secret, &p.whole)
	return p, err
}

func (p prints) equal(q prints) bool {
	return bytes.Equal(p.secret, q.secret) && bytes.Equal(p.whole, q.whole)
}

// rooted reports whether the token has a root.
func (p prints) rooted() bool { return !bytes.Equal(p.secret, p.whole) }

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
