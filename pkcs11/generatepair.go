// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/hex"

	"libzk_pkcs11/internal/softkey"
	"libzk_pkcs11/internal/store"
)

// generateSealed makes a key pair that no key slot can hold.
func generateSealed(s *session, row *mechanism, m *Mechanism, public, private []Attribute) (pairHandles, error) {
	r, err := s.sealedRequest(row, public, private)
	if err != nil {
		return pairHandles{}, err
	}
	k, err := row.makePair(r.public)
	if err != nil {
		return pairHandles{}, err
	}
	if err := r.completePair(k, m.Type); err != nil {
		return pairHandles{}, err
	}
	defer clear(r.private[privateKeyInfo])
	return s.keepPair(r)
}

// sealedRequest checks the two templates of C_GenerateKeyPair.
func (s *session) sealedRequest(row *mechanism, public, private []Attribute) (*pairRequest, error) {
	keyType := row.keys.types[0]
	r := &pairRequest{}
	var err error
	if r.public, err = s.sealedHalf(public, CKO_PUBLIC_KEY, keyType); err != nil {
		return nil, err
	}
	if r.private, err = s.sealedHalf(private, CKO_PRIVATE_KEY, keyType); err != nil {
		return nil, err
	}
	return r, r.private.checkSealable()
}

// sealedHalf checks one of the templates, and returns the attributes of what it asks for.
func (s *session) sealedHalf(list []Attribute, class, keyType uint) (attributes, error) {
	r, err := rulesFor(class, keyType)
	if err != nil {
		return nil, err
	}
	a, err := s.checkHalf(list, r, class, keyType)
	if err != nil {
		return nil, err
	}
	a.addMissing(attributes{CKA_CLASS: encodeULong(class), CKA_KEY_TYPE: encodeULong(keyType)})
	a.addMissing(r.initial())
	return a, s.checkWritable(a)
}

// checkSealable returns an error for a private key of the token that everybody is to see: what is not sealed would lie
// on the disk as it is.
func (a attributes) checkSealable() error {
	if a.isTrue(CKA_TOKEN) && !a.isTrue(CKA_PRIVATE) {
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PRIVATE, "is true of a private key on the token: it is the user's alone")
	}
	return nil
}

// completePair adds what follows from the key.
func (r *pairRequest) completePair(k softkey.PrivateKey, mechanism uint) error {
	told, err := publicAttributes(k.Public())
	if err != nil {
		return err
	}
	for _, a := range []attributes{r.public, r.private} {
		for t, v := range told {
			if _, has := mustRules(a)[t]; has {
				a[t] = v
			}
		}
		a[CKA_LOCAL], a[CKA_KEY_GEN_MECHANISM] = yes, encodeULong(mechanism)
	}
	r.private[CKA_ALWAYS_SENSITIVE] = encodeBool(r.private.isTrue(CKA_SENSITIVE))
	r.private[CKA_NEVER_EXTRACTABLE] = encodeBool(!r.private.isTrue(CKA_EXTRACTABLE))
	r.private[privateKeyInfo], err = k.Marshal()
	return err
}

// mustRules returns the rules of attributes whose kind is known to have some.
func mustRules(a attributes) rules {
	r, _ := rulesFor(a.number(CKA_CLASS), a.number(CKA_KEY_TYPE))
	return r
}

// keepPair keeps the objects of a key pair, or neither. Two on the token come there in one transaction.
func (s *session) keepPair(r *pairRequest) (pairHandles, error) {
	if r.public.isTrue(CKA_TOKEN) && r.private.isTrue(CKA_TOKEN) {
		return s.token.keepStoredPair(r)
	}
	private, err := s.keepObject(r.private, nil)
	if err != nil {
		return pairHandles{}, err
	}
	public, err := s.keepObject(r.public, nil)
	if err != nil {
		s.token.warnIfFailed("forgetting one half of a new key pair", s.destroy(private))
		return pairHandles{}, err
	}
	return pairHandles{public, private}, nil
}

// keepStoredPair writes both halves to the store.
func (t *token) keepStoredPair(r *pairRequest) (pairHandles, error) {
	var records []*store.Record
	for _, a := range []attributes{r.public, r.private} {
		id := make([]byte, 16)
		if err := t.device.Random(id); err != nil {
			return pairHandles{}, err
		}
		a[CKA_UNIQUE_ID] = []byte(hex.EncodeToString(id))
		records = append(records, recordOf(0, a))
	}
	err := t.updateStore(func(tx *store.Tx) error {
		for _, x := range records {
			x.ID = 0 // when called again
			if err := tx.Put(x); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return pairHandles{}, err
	}
	return pairHandles{
		t.recordHandle(records[0].ID, &object{attrs: r.public}), t.recordHandle(records[1].ID, &object{attrs: r.private}),
	}, nil
}
