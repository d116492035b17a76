// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"sync"

	"libzk_pkcs11/internal/store"
)

// maxLoaded is how many stored objects are kept in memory at most.
const maxLoaded = 1000

// loaded are stored objects as they were when they were read last, without the values that
// the store keeps apart.
type loaded struct {
	mu       sync.Mutex
	login    uint64
	revision uint64 // up to which changes have been dropped
	objects  map[int64]*object
}

// get returns what is known of a record, or nil.
func (l *loaded) get(id int64, login uint64) *object {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.login != login {
		return nil
	}
	return l.objects[id]
}

// put keeps an object that was read at a revision.
func (l *loaded) put(o *object, login, revision uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.login < login || l.objects == nil {
		l.login, l.objects = login, map[int64]*object{}
	}
	if l.login > login || revision < l.revision {
		return // of a login that has ended, or overtaken by a change
	}
	for id := range l.objects { // any
		if len(l.objects) < maxLoaded {
			break
		}
		delete(l.objects, id)
	}
	if before := l.objects[o.id.record]; before != nil && o.isSealed() {
		o.place = before.place // where the key may be at hand already
	}
	l.objects[o.id.record] = o
}

// dropAll gives everything up.
func (l *loaded) dropAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.objects)
}

// dropChanged gives up what has changed.
func (l *loaded) dropChanged(changes *store.Changes) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revision = max(l.revision, changes.Revision)
	if changes.Whole {
		clear(l.objects)
	}
	for _, ids := range [][]int64{changes.Changed, changes.Deleted} {
		for _, id := range ids {
			delete(l.objects, id)
		}
	}
}

// storedObject makes the object of a record, nil when the user may not see one or it makes
// no sense.
func (t *token) storedObject(r *store.Record) *object {
	if r.Attributes == nil || r.Slot != store.NoSlot || r.Sealed && t.user() != CKU_USER {
		return nil
	}
	o := &object{id: identity{record: r.ID}, attrs: attributesOf(r), apart: r.Apart && r.Values == nil}
	if o.class() == CKO_PRIVATE_KEY && !r.Sealed || !t.sealsKeys() && o.isOfSealedKind() || !o.setRules() {
		return nil // the store never holds a private key that is not sealed: forged
	}
	o.handle = t.recordHandle(r.ID, o)
	return o
}

// stored returns the object of a record.
func (t *token) stored(id int64) (*object, error) {
	login := t.logins.Load()
	if o := t.loaded.get(id, login); o != nil {
		return o, nil
	}
	r, revision, err := t.store.Record(id)
	if errors.Is(err, store.ErrNoRecord) || errors.Is(err, store.ErrLocked) {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	if err != nil {
		return nil, err
	}
	o := t.storedObject(r)
	if o == nil {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	t.loaded.put(o, login, revision)
	return o, nil
}

// withValue returns the object with its value where that is apart, for a moment: the caller
// calls eraseValueOf.
func (t *token) withValue(o *object) (*object, error) {
	switch {
	case !o.apart:
		return o, nil
	case o.hidden != nil:
		return t.unhidden(o)
	}
	values, err := t.store.Values(o.id.record)
	if err != nil {
		return nil, err
	}
	all := *o
	all.apart, all.attrs = false, o.attrs.withAll(fromStore(values))
	return &all, nil
}

// eraseValueOf overwrites the values that withValue has added to an object.
func (o *object) eraseValueOf(whole *object) {
	if whole != nil && whole != o {
		clear(whole.attrs[whole.attrs.valueType()])
	}
}

// terms are the attributes by which the store finds an object, those first that tell
// objects apart best. None of them is secret.
var terms = [...]uint{
	CKA_UNIQUE_ID, CKA_ID, CKA_SUBJECT, CKA_EC_POINT, CKA_PUBLIC_KEY_INFO, CKA_SERIAL_NUMBER, CKA_LABEL,
	CKA_OBJECT_ID, CKA_APPLICATION, CKA_KEY_TYPE, CKA_CLASS,
}

// termsOf are the terms among attributes. Empty values tell nothing apart.
func termsOf(a attributes) []store.Term {
	var list []store.Term
	for _, t := range terms {
		if v := a[t]; len(v) > 0 {
			list = append(list, store.Term{Type: uint64(t), Value: storeForm(t, v)})
		}
	}
	return list
}

// recordOf is what the store keeps of an object that is in no key slot. The value of a
// private one is kept apart, so that it is unsealed for nobody but a caller who asks for it.
func recordOf(id int64, a attributes) *store.Record {
	r := &store.Record{ID: id, Slot: store.NoSlot, Sealed: a.isTrue(CKA_PRIVATE), Terms: termsOf(a)}
	r.Attributes = toStore(a)
	setApart(r)
	return r
}

// setApart moves what is kept apart out of the attributes of a sealed record.
func setApart(r *store.Record) {
	if string(r.Attributes[CKA_CLASS]) == string(storeForm(CKA_CLASS, encodeULong(CKO_PUBLIC_KEY))) {
		return // all of it tells what key it is
	}
	for _, typ := range [...]uint64{CKA_VALUE, privateKeyInfo} {
		if value, has := r.Attributes[typ]; has && r.Sealed {
			delete(r.Attributes, typ)
			r.Values, r.Apart = map[uint64][]byte{typ: value}, true
		}
	}
}

// reindex has the store find records that an earlier version wrote. What is sealed waits
// for a login.
func (t *token) reindex() {
	t.warnIfFailed("indexing the objects of an earlier version", t.store.Reindex(indexRecord))
}

func indexRecord(r *store.Record) error {
	r.Terms = termsOf(attributesOf(r))
	if r.Slot == store.NoSlot {
		setApart(r)
	}
	return nil
}
