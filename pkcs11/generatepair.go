// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/hex"

	"libzk_pkcs11/internal/scm"
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
	if !isAbsentOr(r.private, CKA_PARAMETER_SET, r.public.number(CKA_PARAMETER_SET)) {
		return nil, refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PARAMETER_SET, "is not that of the public key")
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
	if class == CKO_PRIVATE_KEY {
		a.addMissing(usesOnCurve(keyType))
	}
	a.addMissing(r.initial())
	return a, s.checkWritable(a)
}

// usesOnCurve is what a new key on a curve is for when nobody says, as in a key slot.
func usesOnCurve(keyType uint) attributes {
	switch keyType {
	case CKK_EC:
		return attributes{CKA_DERIVE: yes}
	case CKK_EC_MONTGOMERY:
		return attributes{CKA_DERIVE: yes, CKA_SIGN: no}
	}
	return nil
}

// hasNoPlaceFor reports whether the device cannot hold a key pair on a curve that is asked for: it lacks the curve, the key is to
// leave it, or it has no memory for such keys of a session. A caller who names a key slot wants no other place, and is
// refused.
func (t *token) hasNoPlaceFor(public, private []Attribute) bool {
	if _, asked := valueIn(append(public[:len(public):len(public)], private...), CKA_ZK_SLOT); asked {
		return false
	}
	params, _ := valueIn(public, CKA_EC_PARAMS)
	c, err := curveOf(params)
	if err != nil {
		return err == error(CKR_CURVE_NOT_SUPPORTED)
	}
	onToken, _ := valueIn(private, CKA_TOKEN)
	leaves, _ := valueIn(private, CKA_EXTRACTABLE)
	hidden, says := valueIn(private, CKA_PRIVATE)
	open := says && !isTrueValue(hidden) // for everybody, and the device knows only its user
	_, volatile := t.device.(scm.Volatile)
	return !t.capability(c.curve).Generate || isTrueValue(leaves) || !isTrueValue(onToken) && (open || !volatile)
}

// valueIn returns the value of an attribute in a template, and reports whether it is given.
func valueIn(list []Attribute, typ uint) (v []byte, given bool) {
	for _, a := range list {
		if a.Type == typ {
			return a.Value, true
		}
	}
	return nil, false
}

// makeOnCurve makes a key pair as the template of the public key wants it.
func makeOnCurve(public attributes) (softkey.PrivateKey, error) {
	c, err := softCurveOf(public)
	if err != nil {
		return nil, err
	}
	switch c {
	case softkey.Ed25519:
		return softkey.GenerateEdwards(), nil
	case softkey.X25519:
		return softkey.GenerateMontgomery()
	}
	return softkey.GenerateEC(c)
}

// checkSealable returns an error for a private key of the token that everybody is to see: what is not sealed would lie
// on the disk as it is. A login for each use is for a key of a user, too (section 4.10).
func (a attributes) checkSealable() error {
	switch {
	case a.isTrue(CKA_PRIVATE):
		return nil
	case a.isTrue(CKA_TOKEN):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_PRIVATE, "is true of a private key on the token: it is the user's alone")
	case a.isTrue(CKA_ALWAYS_AUTHENTICATE):
		return refuse(CKR_TEMPLATE_INCONSISTENT, CKA_ALWAYS_AUTHENTICATE, "is for keys with CKA_PRIVATE: nobody else logs in")
	}
	return nil
}

// completePair adds what follows from the key.
func (r *pairRequest) completePair(k softkey.PrivateKey, mechanism uint) error {
	told, err := publicAttributes(k.Public())
	if err != nil {
		return err
	}
	for _, a := range []attributes{r.private, r.public} {
		for t, v := range told {
			if x, has := mustRules(a)[t]; has && x.is&concealed == 0 {
				a[t] = v
			}
			if named := r.public[t]; t == CKA_EC_PARAMS && named != nil {
				a[t] = named // as the caller does
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

// keepPair keeps the objects of a key pair, or neither. Two on the token come there in one transaction, and one comes there last.
func (s *session) keepPair(r *pairRequest) (pairHandles, error) {
	if r.public.isTrue(CKA_TOKEN) && r.private.isTrue(CKA_TOKEN) {
		return s.token.keepStoredPair(r)
	}
	if r.private.isTrue(CKA_TOKEN) {
		public, private, err := s.keepHalves(r.public, r.private)
		return pairHandles{public, private}, err
	}
	private, public, err := s.keepHalves(r.private, r.public)
	return pairHandles{public, private}, err
}

// keepHalves keeps a half that is a session object, and then the other one. The first can be taken back, whatever its template
// says and no matter who has logged out meanwhile.
func (s *session) keepHalves(first, second attributes) (firstHandle, secondHandle uint, err error) {
	o := &object{}
	if firstHandle, err = s.keepObject(first, o); err != nil {
		return 0, 0, err
	}
	if secondHandle, err = s.keepObject(second, nil); err != nil {
		s.token.dropObject(o)
		return 0, 0, err
	}
	return firstHandle, secondHandle, nil
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
