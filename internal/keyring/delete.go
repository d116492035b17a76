// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"slices"

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

// AddCertificates takes for those of the key also the certificates that have another id: without the key nobody can
// use them.
func (r *Ring) AddCertificates(k *Key) error {
	all, err := r.Certificates()
	if err != nil {
		return err
	}
	k.Certificates = nil
	for _, c := range all {
		if k.IsFor(c.X509) {
			k.Certificates = append(k.Certificates, c)
		}
	}
	return nil
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
