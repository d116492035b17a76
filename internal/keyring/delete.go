// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"slices"
	"strings"

	"libzk_pkcs11/pkcs11"
)

// NamesIn lists the objects of the key slot that a key is in: those of its first name, and then those of further ones.
func (r *Ring) NamesIn(k *Key) ([]uint, error) {
	if k.KeySlot == NoSlot {
		return nil, nil
	}
	return r.Provider.KeysInSlot(r.Session, k.KeySlot)
}

// HasFirstOf reports whether the name of the key is the first of its slot, which is there as long as the key is.
func (k *Key) HasFirstOf(names []uint) bool {
	return len(names) > 0 && slices.Contains(k.Objects, names[0])
}

// Derived lists the keys of a wallet that the SCM deletes with a key, since they are derived from it.
func (r *Ring) Derived(k *Key) ([]*Key, error) {
	if k.wallet == "" {
		return nil, nil
	}
	keys, err := r.Keys()
	var derived []*Key
	for _, other := range keys {
		if other.wallet == k.wallet && strings.HasPrefix(other.address, k.address+"/") {
			derived = append(derived, other)
		}
	}
	return derived, err
}

// AddCertificates takes for those of the key also the certificates that have another id, and those of keys that go with
// it: nobody can use them any more.
func (r *Ring) AddCertificates(k *Key, derived []*Key) error {
	all, err := r.Certificates()
	if err != nil {
		return err
	}
	k.Certificates = nil
	for _, c := range all {
		if k.IsFor(c.X509) || c.HasKey(derived) {
			k.Certificates = append(k.Certificates, c)
		}
	}
	return nil
}

// IsKept reports whether the token keeps an object of the key whatever its user says.
func (r *Ring) IsKept(k *Key) (bool, error) {
	for _, h := range k.Objects {
		v, err := r.read(h, pkcs11.CKA_DESTROYABLE)
		if kept := bytes.Equal(v[pkcs11.CKA_DESTROYABLE], []byte{pkcs11.CK_FALSE}); err != nil || kept {
			return kept, err
		}
	}
	return false, nil
}

// Delete destroys a key by this name, and its certificates. They go first: a key without one is complete, and a
// certificate without a key is not. The private half is the key itself and goes before the public one.
func (r *Ring) Delete(k *Key) error {
	for _, c := range k.Certificates {
		if err := r.destroy(c.Object); err != nil {
			return err
		}
	}
	if k.Private != 0 {
		if err := r.destroy(k.Private); err != nil {
			return err
		}
	}
	for _, h := range k.Objects {
		if h == k.Private {
			continue
		}
		if err := r.destroy(h); err != nil && err != error(pkcs11.CKR_OBJECT_HANDLE_INVALID) {
			return err
		}
	}
	return nil
}

func (r *Ring) destroy(object uint) error { return r.Provider.DestroyObject(r.Session, object) }
