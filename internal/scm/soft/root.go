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

	mask *secret.Mask // of the private keys that it has opened

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
	return &root{id: id, mask: secret.NewMask(), key: secret.New(keySize)}
}

// openRoot opens a root key that was sealed to pass.
func openRoot(id, blob, pass []byte) (*root, error) {
	sealer := rootSealer(pass, id)
	defer sealer.Destroy()
	r := emptyRoot(id)
	if err := secret.Open(sealer.Bytes(), r.key.Bytes(), blob, id); err != nil {
		r.destroy()
		return nil, fmt.Errorf("root key: %w", scm.ErrSecret)
	}
	return r, nil
}

// sealTo returns the root key sealed to pass, for openRoot.
func (r *root) sealTo(pass []byte) ([]byte, error) {
	sealer := rootSealer(pass, r.id)
	defer sealer.Destroy()
	key, err := r.holdKey()
	if err != nil {
		return nil, err
	}
	defer r.mu.RUnlock()
	return secret.Seal(sealer.Bytes(), key, r.id), nil
}

// seal returns plain sealed under the root key, bound to what it is.
func (r *root) seal(context, plain []byte) ([]byte, error) {
	key, err := r.holdKey()
	if err != nil {
		return nil, err
	}
	defer r.mu.RUnlock()
	return secret.Seal(key, plain, context), nil
}

// unseal undoes seal; plain has size bytes, which the caller overwrites.
func (r *root) unseal(context, blob []byte, size int) ([]byte, error) {
	key, err := r.holdKey()
	if err != nil {
		return nil, err
	}
	defer r.mu.RUnlock()
	plain := make([]byte, size)
	if err := secret.Open(key, plain, blob, context); err != nil {
		return nil, fmt.Errorf("%w: %w", scm.ErrDevice, err)
	}
	return plain, nil
}

// unsealKey returns what is sealed beside a key of the flash.
func (r *root) unsealKey(k *sealedKey) ([]byte, error) {
	plain, err := r.unseal(k.context(), k.blob, k.kind.sealedSize())
	if err != nil {
		return nil, fmt.Errorf("key slot %d: %w", k.Slot, err)
	}
	return plain, nil
}

// holdKey returns the root key, which stays until the caller unlocks mu for reading.
func (r *root) holdKey() ([]byte, error) {
	if r == nil {
		return nil, scm.ErrSealed
	}
	r.mu.RLock()
	if r.key == nil {
		r.mu.RUnlock()
		return nil, scm.ErrSealed
	}
	return r.key.Bytes(), nil
}

// destroy erases the root key. It does nothing the second time, nor to nil.
func (r *root) destroy() {
	if r == nil {
		return
	}
	r.mask.Destroy()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key != nil {
		r.key.Destroy()
		r.key = nil
	}
}
