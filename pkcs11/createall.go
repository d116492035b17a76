// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/store"

// CreateObjects makes token objects of templates, all of them or none: a process that is killed meanwhile, or
// finds the disk full, leaves nothing. PKCS #11 has no function for that.
func (p *Provider) CreateObjects(h uint, lists [][]Attribute) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	all := make([]attributes, 0, len(lists))
	defer func() { erasePrivates(all) }()
	for _, list := range lists {
		a, err := s.newStored(list)
		if err != nil {
			return err
		}
		all = append(all, a)
	}
	return s.token.putAll(all)
}

// newStored returns the attributes of a new object that is to be in the store.
func (s *session) newStored(list []Attribute) (attributes, error) {
	a, err := s.newObject(list)
	if err != nil {
		return nil, err
	}
	if !a.isTrue(CKA_TOKEN) || a.isTrue(CKA_ZK_FOREIGN) {
		return nil, CKR_TEMPLATE_INCONSISTENT
	}
	if err := s.checkWritable(a); err != nil {
		return nil, err
	}
	return a, s.token.giveUnique(a)
}

// putAll writes records of all of them in one transaction.
func (t *token) putAll(all []attributes) error {
	records := make([]*store.Record, 0, len(all))
	for _, a := range all {
		records = append(records, recordOf(0, a))
	}
	defer eraseSealed(records, all)
	return t.updateStore(func(tx *store.Tx) error { return putRecords(tx, records) })
}

func putRecords(tx *store.Tx, records []*store.Record) error {
	for _, r := range records {
		if err := tx.Put(r); err != nil {
			return err
		}
	}
	return nil
}

// eraseSealed overwrites the values that are sealed in the store.
func eraseSealed(records []*store.Record, all []attributes) {
	for i, r := range records {
		if r.Sealed {
			clear(all[i][all[i].valueType()])
		}
	}
}

func erasePrivates(all []attributes) {
	for _, a := range all {
		a.erasePrivate()
	}
}
