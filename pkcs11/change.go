// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/store"
)

// SetAttributeValue changes attributes of an object (section 5.7.6): all of the
// template, or none.
func (p *Provider) SetAttributeValue(h, object uint, list []Attribute) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	s.token.changes.Lock()
	defer s.token.changes.Unlock()
	o, err := s.findObject(object)
	if err != nil {
		return err
	}
	a, err := s.template(list)
	if err != nil {
		return err
	}
	if err := s.checkChangeable(o, list, a); err != nil {
		return err
	}
	if o.owner != nil {
		return s.token.changeSessionObject(o, a)
	}
	return s.changeTokenObject(o, list, a)
}

// checkChangeable returns an error unless the session may give an object these attributes.
func (s *session) checkChangeable(o *object, list []Attribute, a attributes) error {
	if err := s.checkWritable(o.attrs); err != nil {
		return err
	}
	if !o.attrs.isTrue(CKA_MODIFIABLE) || o.broken() || s.vouched(o.attrs) {
		return CKR_ACTION_PROHIBITED
	}
	return o.rules.checkChange(o.attrs, list, a, changing, s.token.user())
}

func (t *token) changeSessionObject(o *object, a attributes) error {
	t.mine.mu.Lock()
	defer t.mine.mu.Unlock()
	now := t.mine.table.objects[o.handle]
	if now == nil {
		return CKR_OBJECT_HANDLE_INVALID // its session has just ended
	}
	whole, err := t.withValue(now)
	if err != nil {
		return err
	}
	defer now.eraseValueOf(whole)
	changed := *whole
	changed.attrs = whole.attrs.withAll(a)
	if !changed.setRules() {
		return CKR_ATTRIBUTE_VALUE_INVALID
	}
	t.keepInstead(&changed)
	return nil
}

// keepInstead has a session object be another one. It is called with t.mine.mu.
func (t *token) keepInstead(changed *object) {
	t.leaveObject(changed)
	t.conceal(changed)
	t.mine.add(changed)
}

// changeTokenObject changes what the store has now, so that nothing is lost of what
// other processes have changed since this one looked.
func (s *session) changeTokenObject(o *object, list []Attribute, a attributes) error {
	t := s.token
	if o.hasSecretValue() {
		defer clear(a[CKA_VALUE])
	}
	return t.updateStore(func(tx *store.Tx) error {
		changed, err := t.latest(tx, o)
		if err != nil {
			return err
		}
		defer changed.eraseSecret(changed.attrs[changed.attrs.valueType()])
		if err := s.checkChangeable(changed, list, a); err != nil {
			return err
		}
		changed.attrs = changed.attrs.withAll(a)
		return tx.Put(t.record(changed))
	})
}

// eraseSecret overwrites a value that the object has, or had, if it is secret.
func (o *object) eraseSecret(value []byte) {
	if o.hasSecretValue() {
		clear(value)
	}
}

// latest returns a copy of a token object with the attributes that the store has
// now. An object that another process has destroyed is CKR_OBJECT_HANDLE_INVALID.
func (t *token) latest(tx *store.Tx, o *object) (*object, error) {
	r, err := tx.Current(t.record(o))
	k := o.deviceKey()
	if k != nil && o.id.name == 0 && errors.Is(err, store.ErrNoRecord) || err == nil && o.replaced(r) {
		r, err = &store.Record{Public: k.Public}, nil // nobody has given it attributes
	}
	if err != nil {
		return nil, err
	}
	now := *o
	now.attrs, now.apart = attributesOf(r), false
	if k == nil {
		return &now, nil
	}
	if r.Hidden || !bytes.Equal(r.Public, k.Public) {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	now.attrs = t.namedAttributes(*k, o.id).withAll(now.attrs).withAll(t.nodes.nodeOfKey(*k).attributes())
	return &now, nil
}

// record is what the store keeps of a token object.
func (t *token) record(o *object) *store.Record {
	k := o.deviceKey()
	if k == nil {
		r := recordOf(o.id.record, o.attrs)
		r.Apart = r.Apart || o.apart
		return r
	}
	return &store.Record{
		Slot: store.NameSlot(int(k.Slot), o.id.name), Private: o.id.half == privateHalf, Public: k.Public,
		Sealed: o.private(), Attributes: toStore(o.storedAttributes()),
	}
}

// DestroyObject destroys an object (section 5.7.3). The key in a slot goes with
// its private key object; its public key object can go before or after.
func (p *Provider) DestroyObject(h, object uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	err = s.destroy(object)
	if codeOf(err) == CKR_USER_NOT_LOGGED_IN {
		return CKR_OBJECT_HANDLE_INVALID // the user logged out meanwhile, and the handle went too
	}
	return err
}

func (s *session) destroy(object uint) error {
	s.token.changes.Lock()
	defer s.token.changes.Unlock()
	o, err := s.findObject(object)
	if err != nil {
		return err
	}
	if err := s.checkWritable(o.attrs); err != nil {
		return err
	}
	if !o.attrs.isTrue(CKA_DESTROYABLE) || s.vouched(o.attrs) {
		return CKR_ACTION_PROHIBITED
	}
	if in, removes := o.place.(remover); removes {
		if err := in.checkRemovable(s.token); err != nil {
			return err
		}
	}
	return s.token.destroy(o)
}

func (t *token) destroy(o *object) error {
	if o.owner != nil {
		t.dropObject(o)
		return nil
	}
	if in, removes := o.place.(remover); removes {
		return in.remove(t, o)
	}
	return t.updateForDeletion(func(tx *store.Tx) error { return tx.Delete(o.id.record) })
}

// hidePublicKey destroys a public key object whose key stays in its slot. That is for the
// user to do: what the store keeps of a slot is authenticated.
func (t *token) hidePublicKey(o *object) error {
	err := t.updateForDeletion(func(tx *store.Tx) error {
		if _, err := t.latest(tx, o); err != nil && !o.broken() {
			return err // the slot has got another key, and its record must stay
		}
		r := t.record(o)
		r.Hidden = true
		return tx.Put(r)
	})
	if errors.Is(err, store.ErrLocked) {
		return CKR_ACTION_PROHIBITED // C_DestroyObject has no code for a login that is missing
	}
	return err
}

// publicHalf returns the public key object that belongs to a private key in a slot; nil if
// it is not there.
func (t *token) publicHalf(o *object) *object {
	c := t.catalog.Load()
	if c == nil {
		return nil // logged out just now
	}
	for _, p := range c.slots[o.deviceKey().Slot].objects {
		if p.id.half == publicHalf && p.id.name == o.id.name && p.id.public == o.id.public && !p.broken() {
			return p
		}
	}
	return nil
}
