// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// SetAttributeValue changes attributes of an object (section 5.7.6): all of the
// template, or none.
func (p *Provider) SetAttributeValue(h, object uint, list []Attribute) error {
	return p.in(h, func(s *session) error {
		s.token.acquire(&s.token.changes)
		defer s.token.changes.Unlock()
		o, err := s.object(object)
		if err != nil {
			return err
		}
		a, err := template(list)
		if err != nil {
			return err
		}
		if err := s.mayChange(o, list, a); err != nil {
			return err
		}
		if o.owner != nil {
			return s.token.changeSessionObject(o, a)
		}
		return s.changeTokenObject(o, list, a)
	})
}

// mayChange answers whether the session may give an object these attributes.
func (s *session) mayChange(o *object, list []Attribute, a attributes) error {
	if err := s.writable(o.attrs); err != nil {
		return err
	}
	if !o.attrs.is(CKA_MODIFIABLE) || o.broken() || s.vouched(o.attrs) {
		return CKR_ACTION_PROHIBITED
	}
	if a.is(CKA_DERIVE) && o.alwaysAuthenticate() {
		return CKR_TEMPLATE_INCONSISTENT
	}
	return o.rules.checkChange(o.attrs, list, a, false, s.token.user())
}

func (t *token) changeSessionObject(o *object, a attributes) error {
	t.acquire(&t.mu)
	defer t.mu.Unlock()
	if t.objects.objects[o.handle] == nil {
		return CKR_OBJECT_HANDLE_INVALID // its session has just ended
	}
	changed := *o
	changed.attrs = o.attrs.with(a)
	t.objects.add(t.complete(&changed))
	t.leaveObject(&changed)
	return nil
}

// changeTokenObject changes what the store has now, so that nothing is lost of what
// other processes have changed since this one looked.
func (s *session) changeTokenObject(o *object, list []Attribute, a attributes) error {
	t := s.token
	var changed *object
	return t.write(func(tx *store.Tx) (err error) {
		if changed, err = t.latest(tx, o); err != nil {
			return err
		}
		if err := s.mayChange(changed, list, a); err != nil {
			return err
		}
		changed.attrs = changed.attrs.with(a)
		return tx.Put(t.record(changed))
	}, func(c *catalog) { c.add(t.complete(changed)) })
}

// latest returns a copy of a token object with the attributes that the store has
// now. An object that another process has destroyed is CKR_OBJECT_HANDLE_INVALID.
func (t *token) latest(tx *store.Tx, o *object) (*object, error) {
	r, err := tx.Current(t.record(o))
	if o.key != nil && errors.Is(err, store.ErrNoRecord) || err == nil && o.replaced(r) {
		r, err = &store.Record{Public: o.key.Public}, nil // nobody has given it attributes
	}
	if err != nil {
		return nil, err
	}
	now := *o
	now.attrs = attributesOf(r)
	if o.key == nil {
		return &now, nil
	}
	if r.Hidden || !bytes.Equal(r.Public, o.key.Public) {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	now.attrs = t.slotAttributes(*o.key, o.id.private).with(now.attrs)
	return &now, nil
}

// record is what the store keeps of a token object.
func (t *token) record(o *object) *store.Record {
	if o.key == nil {
		return &store.Record{ID: o.id.record, Slot: store.NoSlot, Sealed: o.private(), Attributes: toStore(o.attrs)}
	}
	return &store.Record{
		Slot: int(o.key.Slot), Private: o.id.private, Public: o.key.Public,
		Sealed: o.private(), Attributes: toStore(o.own()),
	}
}

// DestroyObject destroys an object (section 5.7.3). The key in a slot goes with
// its private key object; its public key object can go before or after.
func (p *Provider) DestroyObject(h, object uint) error {
	return p.in(h, func(s *session) error {
		err := s.destroy(object)
		if code(err) == CKR_USER_NOT_LOGGED_IN {
			return CKR_OBJECT_HANDLE_INVALID // the user logged out meanwhile, and the handle went too
		}
		return err
	})
}

func (s *session) destroy(object uint) error {
	s.token.acquire(&s.token.changes)
	defer s.token.changes.Unlock()
	o, err := s.object(object)
	if err != nil {
		return err
	}
	if err := s.writable(o.attrs); err != nil {
		return err
	}
	if !o.attrs.is(CKA_DESTROYABLE) || s.vouched(o.attrs) || o.key != nil && o.key.Slot.Permanent() {
		return CKR_ACTION_PROHIBITED
	}
	if o.key != nil {
		if err := s.token.removable(o.key.Slot); err != nil {
			return err
		}
	}
	return s.token.destroy(o)
}

func (t *token) destroy(o *object) error {
	switch {
	case o.owner != nil:
		t.dropObjects(func(x *object) bool { return x.handle == o.handle })
		return nil
	case o.key == nil:
		return t.write(func(tx *store.Tx) error { return tx.Delete(o.id.record) }, func(c *catalog) {
			c.forget(o)
			c.reconsider(o)
		})
	case o.foreign():
		return t.removeForeign(o)
	case o.class() == CKO_PUBLIC_KEY:
		return t.hide(o)
	}
	return t.removeKey(o)
}

// hide destroys a public key object whose key stays in its slot. That is for the
// user to do: what the store keeps of a slot is authenticated.
func (t *token) hide(o *object) error {
	err := t.write(func(tx *store.Tx) error {
		if _, err := t.latest(tx, o); err != nil && !o.broken() {
			return err // the slot has got another key, and its record must stay
		}
		r := t.record(o)
		r.Hidden = true
		return tx.Put(r)
	}, func(c *catalog) { c.forget(o) })
	if errors.Is(err, store.ErrLocked) {
		return CKR_ACTION_PROHIBITED // C_DestroyObject has no code for a login that is missing
	}
	return err
}

// removeKey empties a key slot. The public key object, if it is still there,
// lives on as an object of the store, under the handle that it has.
func (t *token) removeKey(o *object) error {
	public := t.publicHalf(o)
	err := t.device.Remove(*o.key)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return CKR_OBJECT_HANDLE_INVALID // another process was faster
	}
	if err != nil {
		return err
	}
	kept := &store.Record{Slot: store.NoSlot}
	if public != nil {
		kept.Attributes, kept.Sealed = toStore(public.attrs), public.private()
	}
	return t.write(func(tx *store.Tx) error {
		if err := forgetKeys(tx, o); err != nil || public == nil {
			return err
		}
		return tx.Put(kept)
	}, func(c *catalog) {
		c.forget(o)
		if public != nil {
			public.id = identity{record: kept.ID}
			c.add(t.complete(public))
		}
	})
}

// forgetKeys deletes what the store remembers of the key that an object is of, and
// of those that its slot has lost. The slot may hold a newer one by now, whose
// records stay.
func forgetKeys(tx *store.Tx, o *object) error {
	gone := tx.DeleteSlot(int(o.key.Slot), o.key.Public)
	for _, public := range o.lost {
		gone = errors.Join(gone, tx.DeleteSlot(int(o.key.Slot), public))
	}
	return gone
}

// publicHalf returns a copy of the public key object that belongs to a private
// key in a slot, without its tie to the slot; nil if it is not there.
func (t *token) publicHalf(o *object) *object {
	other := o.id
	other.private = false
	t.acquire(readSide(&t.mu))
	defer t.mu.RUnlock()
	p := t.objects.objects[t.objects.handles[other]]
	if p == nil {
		return nil
	}
	attrs := p.attrs.with(nil)
	attrs.leaveSlot()
	return &object{handle: p.handle, attrs: attrs}
}
