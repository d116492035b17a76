// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"crypto/rand"
	"fmt"
	"sync"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/secret"
)

// rootIDSize is the length in bytes of a root key's identity, a random number
// that is no secret.
const rootIDSize = 16

// root is a root key in memory. It may be destroyed while others use it; they
// get ErrSealed then.
type root struct {
	id []byte // never changes

	mu  sync.RWMutex
	key *secret.Buffer // nil once destroyed
}

// newRoot makes a random root key with a random identity.
func newRoot() *root {
	id := make([]byte, rootIDSize)
	rand.Read(id)
	r := emptyRoot(id)
	rand.Read(r.key.Bytes())
	return r
}

func emptyRoot(id []byte) *root {
	return &root{id: id, key: secret.New(keySize)}
}

// openRoot opens a root key that was sealed to pass.
func openRoot(id, blob, pass []byte) (*root, error) {
	sealer, err := rootSealer(pass, id)
	if err != nil {
		return nil, err
	}
	defer clear(sealer)
	r := emptyRoot(id)
	if err := unseal(sealer, blob, id, r.key.Bytes()); err != nil {
		r.destroy()
		return nil, fmt.Errorf("root key: %w", scm.ErrSecret)
	}
	return r, nil
}

// sealTo returns the root key sealed to pass, for openRoot.
func (r *root) sealTo(pass []byte) (blob []byte, err error) {
	sealer, err := rootSealer(pass, r.id)
	if err != nil {
		return nil, err
	}
	defer clear(sealer)
	err = r.use(func(key []byte) error {
		blob, err = seal(sealer, key, r.id)
		return err
	})
	return blob, err
}

// seal returns the private key of k sealed under the root key.
func (r *root) seal(k scm.Key, private []byte) (blob []byte, err error) {
	err = r.use(func(key []byte) error {
		blob, err = seal(key, private, keyContext(k))
		return err
	})
	return blob, err
}

// unseal undoes seal into private, secretSize bytes long.
func (r *root) unseal(k scm.Key, blob, private []byte) error {
	return r.use(func(key []byte) error {
		if err := unseal(key, blob, keyContext(k), private); err != nil {
			return fmt.Errorf("private key of slot %d: %w: %w", k.Slot, scm.ErrDevice, err)
		}
		return nil
	})
}

// private opens a key of the flash.
func (r *root) private(k sealedKey) (private, error) {
	secret := make([]byte, secretSize)
	defer clear(secret)
	if err := r.unseal(k.Key, k.blob, secret); err != nil {
		return nil, err
	}
	return parse(k.Curve, secret)
}

// use calls f with the root key, which stays until f returns.
func (r *root) use(f func(key []byte) error) error {
	if r == nil {
		return scm.ErrSealed
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.key == nil {
		return scm.ErrSealed
	}
	return f(r.key.Bytes())
}

// destroy erases the root key. It does nothing the second time, nor to nil.
func (r *root) destroy() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key != nil {
		r.key.Destroy()
		r.key = nil
	}
}
