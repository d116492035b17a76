// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"libzk_pkcs11/internal/certificate"
	"libzk_pkcs11/pkcs11"
)

// NoSlot is the key slot of a key that is in the token's store, sealed unless it is open.
const NoSlot = -1

// Key is a key pair or a secret key by one of its names.
type Key struct {
	Label        string
	ID           []byte
	Type         string // "P-256", "RSA-2048", "AES-256"
	KeySlot      int    // or NoSlot
	Secret       bool   // it is no pair
	Open         bool   // a secret that is not private: it lies in the token's store as it is
	Public       *certificate.PublicKey
	Private      uint   // handle of the private or secret key; 0 where the session sees none
	Objects      []uint // all handles that it has
	Certificates []*Certificate

	wallet, address string // where it is in a wallet
}

// Place says where the key is.
func (k *Key) Place() string {
	switch {
	case k.Open:
		return "open"
	case k.IsSealed():
		return "sealed"
	}
	return fmt.Sprintf("key slot %d", k.KeySlot)
}

// IsSealed reports whether the key is sealed in the token's store.
func (k *Key) IsSealed() bool { return k.KeySlot == NoSlot && !k.Open }

// attributes that a key is made of.
func keyAttributes() []uint {
	return []uint{pkcs11.CKA_LABEL, pkcs11.CKA_ID, pkcs11.CKA_KEY_TYPE, pkcs11.CKA_PUBLIC_KEY_INFO, pkcs11.CKA_ZK_SLOT, pkcs11.CKA_ZK_FOREIGN, pkcs11.CKA_VALUE_LEN, pkcs11.CKA_PRIVATE,
		pkcs11.CKA_ZK_WALLET, pkcs11.CKA_ZK_NODE_ADDRESS}
}

// Keys lists the keys of the token, those in key slots first. Foreign keys are not its own.
func (r *Ring) Keys() ([]*Key, error) {
	certificates, err := r.Certificates()
	if err != nil {
		return nil, err
	}
	var keys []*Key
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY, pkcs11.CKO_SECRET_KEY} {
		if keys, err = r.addClass(keys, class); err != nil {
			return nil, err
		}
	}
	for _, k := range keys {
		k.Certificates = slices.Collect(k.itsOwn(certificates))
	}
	slices.SortStableFunc(keys, compareKeys)
	return keys, nil
}

// compareKeys puts what is sealed, and has no number, after the key slots.
func compareKeys(a, b *Key) int {
	return cmp.Or(cmp.Compare(uint(a.KeySlot), uint(b.KeySlot)), cmp.Compare(a.Label, b.Label), bytes.Compare(a.ID, b.ID))
}

// addClass adds the keys of a class. A public key joins its private one.
func (r *Ring) addClass(keys []*Key, class uint) ([]*Key, error) {
	objects, err := r.findClass(class)
	if err != nil {
		return nil, err
	}
	for _, h := range objects {
		v, err := r.read(h, keyAttributes()...)
		if err != nil {
			return nil, err
		}
		if v.isTrue(pkcs11.CKA_ZK_FOREIGN) {
			continue
		}
		k := newKey(v, class)
		if i := slices.IndexFunc(keys, k.isOtherHalf); i >= 0 {
			k = keys[i]
		} else {
			keys = append(keys, k)
		}
		k.Objects = append(k.Objects, h)
		if class != pkcs11.CKO_PUBLIC_KEY {
			k.Private = h
		}
	}
	return keys, nil
}

func newKey(v Values, class uint) *Key {
	k := &Key{Label: string(v[pkcs11.CKA_LABEL]), ID: v[pkcs11.CKA_ID], KeySlot: NoSlot}
	k.wallet, k.address = string(v[pkcs11.CKA_ZK_WALLET]), string(v[pkcs11.CKA_ZK_NODE_ADDRESS])
	if slot, is := v.number(pkcs11.CKA_ZK_SLOT); is && slot != pkcs11.CK_UNAVAILABLE_INFORMATION {
		k.KeySlot = int(slot)
	}
	if class == pkcs11.CKO_SECRET_KEY {
		k.Type, k.Secret = secretType(v), true
		k.Open = k.KeySlot == NoSlot && !v.isTrue(pkcs11.CKA_PRIVATE)
		return k
	}
	k.Type = "unknown"
	if public, err := certificate.ParsePublicKey(v[pkcs11.CKA_PUBLIC_KEY_INFO]); err == nil {
		k.Public, k.Type = public, public.Name()
	}
	return k
}

// secretType is the cipher and the size of a secret key.
func secretType(v Values) string {
	kind, _ := v.number(pkcs11.CKA_KEY_TYPE)
	size, known := v.number(pkcs11.CKA_VALUE_LEN)
	name := "secret"
	if kind == pkcs11.CKK_AES {
		name = "AES"
	}
	if !known {
		return name
	}
	return fmt.Sprintf("%s-%d", name, 8*size)
}

// isOtherHalf reports whether a key that is known is the other half of a pair, by the same name.
func (k *Key) isOtherHalf(other *Key) bool {
	return k.Public != nil && other.Public != nil && k.KeySlot == other.KeySlot &&
		bytes.Equal(k.Public.DER, other.Public.DER) && bytes.Equal(k.ID, other.ID)
}
