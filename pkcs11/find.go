// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// search is a search for objects that is under way: what it found and has not
// given to the caller yet.
type search struct{ found []uint }

// FindObjectsInit starts a search for the objects that have all attributes of a
// template (section 5.7.7).
func (p *Provider) FindObjectsInit(h uint, list []Attribute) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if err := s.find.checkIdle(); err != nil {
		return err
	}
	wanted, err := template(list)
	if err != nil { // two values of one attribute, for which the function has no code
		return s.find.begin(&search{})
	}
	defer wanted.eraseSecrets()
	found, err := s.search(wanted, p.quirks(wanted))
	if err != nil {
		return err
	}
	return s.find.begin(&search{found})
}

// maxSearches is how often the token is searched at most, because others change key slots.
const maxSearches = 10

// search returns the handles of the objects that the session finds: those of key slots,
// then stored ones by age, then session objects.
func (s *session) search(wanted attributes, quirks Quirks) ([]uint, error) {
	t := s.token
	if looksForNode(wanted) {
		if err := t.showNodes(); err != nil {
			return nil, err
		}
	}
	if !wanted.ofNoForeign() {
		t.foreignWanted.Store(true)
	}
	found, err := s.searchToken(wanted, quirks)
	if err != nil {
		return nil, err
	}
	for _, o := range t.findMine(wanted) {
		if s.readable(o) && !quirks.leavesOut(o, wanted) {
			found = append(found, o.handle)
		}
	}
	return found, nil
}

// searchToken returns the handles of token objects. It begins anew when an object may have moved between a key slot and the
// store meanwhile, which it could find twice, or not at all.
func (s *session) searchToken(wanted attributes, quirks Quirks) (found []uint, err error) {
	for attempt, moved := 0, true; moved && attempt < maxSearches; attempt++ {
		c, err := s.token.currentCatalog()
		if err != nil {
			return nil, err
		}
		if found, err = s.searchCatalog(c, wanted, quirks); err != nil {
			return nil, err
		}
		revision, err := s.searchStore(&found, c, wanted)
		if err != nil {
			return nil, err
		}
		if moved, err = s.token.slotsChanged(c, revision); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *session) searchCatalog(c *catalog, wanted attributes, quirks Quirks) ([]uint, error) {
	found := []uint{}
	for _, o := range c.objects {
		if !s.readable(o) || !o.matches(wanted) || quirks.leavesOut(o, wanted) {
			continue
		}
		if o.publicCertificates() {
			hidden, err := s.token.hidesCertificates()
			if err != nil {
				return nil, err
			}
			if hidden {
				continue
			}
		}
		found = append(found, o.handle)
	}
	return found, nil
}

// searchStore adds the stored objects. It returns the revision of the records that it saw.
func (s *session) searchStore(found *[]uint, c *catalog, wanted attributes) (uint64, error) {
	if wanted.ofNoRecord() {
		return c.revision, nil
	}
	t := s.token
	login := t.logins.Load()
	r := &recordSearch{session: s, wanted: wanted, found: *found}
	revision, damaged, err := t.store.Find(termsOf(wanted), r.add)
	if err == nil {
		err = r.dropMismatches()
	}
	*found = r.found
	for _, id := range damaged {
		t.warnRecord(id)
	}
	for _, o := range r.read {
		t.loaded.put(o, login, revision)
	}
	return revision, err
}

// recordSearch is a search among the records of stored objects.
type recordSearch struct {
	session  *session
	wanted   attributes
	found    []uint
	read     []*object // some, to be kept in memory
	doubtful []*object // of which something secret has to be looked at
}

// add takes the object of a record in, if it is one that is looked for.
func (r *recordSearch) add(record *store.Record) {
	o := r.session.token.storedObject(record)
	if o == nil || !r.session.readable(o) {
		return
	}
	if open := o.withoutSecrets(r.wanted); len(open) < len(r.wanted) && o.matches(open) {
		r.doubtful = append(r.doubtful, o)
	} else if !o.matches(r.wanted) {
		return
	}
	r.found = append(r.found, o.handle)
	if len(r.read) < maxLoaded/4 {
		r.read = append(r.read, o)
	}
}

// dropMismatches takes the objects out of which something secret is not what is wanted, or cannot be seen any more: they are
// gone, or the user has just logged out.
func (r *recordSearch) dropMismatches() error {
	for _, o := range r.doubtful {
		matches, err := r.session.token.matchesSecrets(o, r.wanted)
		if err != nil && !errors.Is(err, store.ErrNoRecord) && !errors.Is(err, store.ErrLocked) {
			return err
		}
		if at := slices.Index(r.found, o.handle); !matches && at >= 0 {
			r.found = slices.Delete(r.found, at, at+1)
		}
	}
	return nil
}

// ofNoRecord reports whether no stored object can have all attributes of a template.
func (a attributes) ofNoRecord() bool {
	if token, given := a[CKA_TOKEN]; given && !isTrueValue(token) {
		return true
	}
	if _, given := a[CKA_ZK_SLOT]; given {
		return true
	}
	_, given := a[CKA_CLASS]
	switch class := a.number(CKA_CLASS); class {
	case CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_DOMAIN_PARAMETERS, CKO_TRUST:
		return false
	}
	return given
}

// FindObjects gives the caller the next objects of a search (section 5.7.8) and
// returns how many.
func (p *Provider) FindObjects(h uint, handles []uint) (n int, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if s.find.work == nil {
		return 0, CKR_OPERATION_NOT_INITIALIZED
	}
	n = copy(handles, s.find.work.found)
	s.find.work.found = s.find.work.found[n:]
	return n, nil
}

// FindObjectsFinal ends a search (section 5.7.9).
func (p *Provider) FindObjectsFinal(h uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	if s.find.work == nil {
		return CKR_OPERATION_NOT_INITIALIZED
	}
	s.find.end()
	return nil
}

// quirks asks for the defects to spare the host, if the search is one that they
// touch: only one by class can be.
func (p *Provider) quirks(wanted attributes) Quirks {
	if p.options.Quirks == nil || wanted[CKA_CLASS] == nil && len(wanted) > 0 {
		return Quirks{}
	}
	return p.options.Quirks()
}

// leavesOut reports whether the host is better off without an object that its search
// would find.
func (q Quirks) leavesOut(o *object, wanted attributes) bool {
	return q.HideOtherKeyTypes && len(wanted) == 1 && o.otherKeyType() ||
		q.HideUnknownCurves && o.verify != nil && o.verify.curve.curve == scm.Secp256k1
}

// otherKeyType reports whether o is half of a key pair that is neither RSA nor EC.
func (o *object) otherKeyType() bool {
	c := o.class()
	return (c == CKO_PUBLIC_KEY || c == CKO_PRIVATE_KEY) && o.keyType() != CKK_EC && o.keyType() != CKK_RSA
}

// KeysInSlot lists the objects of a key slot that the session may see: what a
// search for CKA_ZK_SLOT finds without foreign keys.
func (p *Provider) KeysInSlot(h uint, keySlot int) (found []uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return nil, err
	}
	defer s.done(&err)
	c, err := s.token.currentCatalog()
	if err != nil {
		return nil, err
	}
	for _, o := range c.slots[scm.Slot(keySlot)].objects {
		if s.readable(o) {
			found = append(found, o.handle)
		}
	}
	return found, nil
}
