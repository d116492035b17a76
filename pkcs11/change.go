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
		s.token.changes.Lock()
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
	return o.rules.checkChange(o.attrs, list, a, false, s.token.user())
}

func (t *token) changeSessionObject(o *object, a attributes) error {
	t.mine.mu.Lock()
	defer t.mine.mu.Unlock()
	now := t.mine.table.objects[o.handle]
	if now == nil {
		return CKR_OBJECT_HANDLE_INVALID // its session has just ended
	}
	changed := *now
	changed.attrs = now.attrs.with(a)
	if !changed.complete() {
		return CKR_ATTRIBUTE_VALUE_INVALID
	}
	t.leaveObject(&changed)
	t.mine.add(&changed)
	return nil
}

// changeTokenObject changes what the store has now, so that nothing is lost of what
// other processes have changed since this one looked.
func (s *session) changeTokenObject(o *object, list []Attribute, a attributes) error {
	t := s.token
	return t.write(func(tx *store.Tx) error {
		changed, err := t.latest(tx, o)
		if err != nil {
			return err
		}
		if err := s.mayChange(changed, list, a); err != nil {
			return err
		}
		changed.attrs = changed.attrs.with(a)
		return tx.Put(t.record(changed))
	})
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
	now.attrs, now.apart = attributesOf(r), false
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
		return recordOf(o.id.record, o.attrs, o.apart)
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
	s.token.changes.Lock()
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
		t.dropObject(o)
		return nil
	case o.key == nil:
		return t.release(func(tx *store.Tx) error { return tx.Delete(o.id.record) })
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
	err := t.release(func(tx *store.Tx) error {
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

// removeKey empties a key slot. The public key object, if it is still there, lives on as
// an object of the store, under the handle that it has. It becomes one before the key goes:
// whenever a process dies, the object is there.
func (t *token) removeKey(o *object) error {
	kept, err := t.keepPublic(o)
	if err != nil {
		return err
	}
	err = t.device.Remove(*o.key)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return CKR_OBJECT_HANDLE_INVALID // another process was faster
	}
	if err != nil && kept != nil {
		t.warnOn("giving a public key object its key slot back", t.giveBack(kept))
	}
	if err != nil {
		return err
	}
	return t.release(func(tx *store.Tx) error { return forgetKeys(tx, o) })
}

// keptPublic is a public key object that has left its key slot.
type keptPublic struct {
	id     identity
	object *object
	before *store.Record // of the key slot, as it was
	after  *store.Record
}

// keepPublic makes the public key object of a pair one of the store, and has the key slot
// show none. It returns nil when there is no such object.
func (t *token) keepPublic(o *object) (*keptPublic, error) {
	public := t.publicHalf(o)
	if public == nil {
		return nil, nil
	}
	k, stored := &keptPublic{id: public.id, object: public}, identity{}
	err := t.release(func(tx *store.Tx) error {
		now, err := t.latest(tx, public)
		if err != nil {
			return err
		}
		k.before = t.record(now)
		hidden := *k.before
		hidden.Hidden = true
		attrs := now.attrs.with(nil)
		attrs.leaveSlot()
		if stored.record != 0 { // called again
			t.moveHandle(public, stored, k.id)
		}
		k.after = recordOf(0, attrs, false)
		if err := errors.Join(tx.Put(&hidden), tx.Put(k.after)); err != nil {
			return err
		}
		stored = identity{record: k.after.ID}
		t.moveHandle(public, k.id, stored)
		return nil
	})
	if err != nil && stored.record != 0 {
		t.moveHandle(public, stored, k.id)
	}
	if err == error(CKR_OBJECT_HANDLE_INVALID) {
		return nil, nil // another process has just destroyed it, or the whole pair
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// giveBack undoes keepPublic, for a key that stays.
func (t *token) giveBack(k *keptPublic) error {
	t.moveHandle(k.object, identity{record: k.after.ID}, k.id)
	return t.write(func(tx *store.Tx) error {
		now, err := tx.Current(k.before)
		if err != nil || !bytes.Equal(now.Public, k.before.Public) {
			return err // the slot has another key by now
		}
		return errors.Join(tx.Delete(k.after.ID), tx.Put(k.before))
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

// publicHalf returns the public key object that belongs to a private key in a slot; nil if
// it is not there.
func (t *token) publicHalf(o *object) *object {
	c := t.catalog.Load()
	if c == nil {
		return nil // logged out just now
	}
	for _, p := range c.slots[o.key.Slot].objects {
		if !p.id.private && p.id.public == o.id.public && !p.broken() {
			return p
		}
	}
	return nil
}
