// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// removeKey empties a key slot.
func (t *token) removeKey(o *object) error {
	derived, err := t.derivedFrom(*o.deviceKey())
	if err != nil {
		return err
	}
	r := &removing{token: t, object: o, derived: derived}
	defer r.takeBackUnlessActed()
	err = t.journaled(r, t.store.Release)
	if errors.Is(err, scm.ErrSlotEmpty) {
		return CKR_OBJECT_HANDLE_INVALID // another process was faster
	}
	return err
}

// removing is a key that is about to leave its slot. The public key object, if it is still
// there, lives on as an object of the store, under the handle that it has. It becomes one
// before the key goes: whenever a process dies, the object is there.
type removing struct {
	token   *token
	object  *object
	derived []scm.Key // which go with it
	public  *object   // that has become an object of the store; nil if there is none
	apart   identity  // under which it is one
	acted   bool
}

func (r *removing) prepare(tx *store.Tx) ([]*store.Entry, error) {
	r.takeBack() // when called again
	if err := r.token.checkLastName(tx, *r.object.deviceKey()); err != nil {
		return nil, err
	}
	err := r.keepPublic(tx)
	if err == error(CKR_OBJECT_HANDLE_INVALID) {
		err = nil // another process has just destroyed it, or the whole pair
	}
	key := entryOf(store.Removing, *r.object.deviceKey())
	key.Apart = r.apart.record
	entries := []*store.Entry{key}
	for _, k := range r.derived {
		entries = append(entries, entryOf(store.Removing, k))
	}
	return entries, err
}

func (r *removing) perform() error {
	r.acted = true
	return r.token.removed(*r.object.deviceKey(), r.token.device.Remove(*r.object.deviceKey()))
}

// removed tells what has come of removing a key. A device may have done it and fail to say so.
func (t *token) removed(k scm.Key, failed error) error {
	if failed == nil || errors.Is(failed, scm.ErrSlotEmpty) {
		return failed
	}
	there, err := t.holdsKey(k)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", failed, errUnknown)
	case !there:
		return nil
	}
	return failed
}

func (r *removing) conclude(tx *store.Tx, failed error) error {
	if errors.Is(failed, errUnknown) {
		return errUnknown
	}
	if failed == nil || errors.Is(failed, scm.ErrSlotEmpty) {
		gone := forgetKeys(tx, r.object)
		for _, k := range r.derived {
			gone = errors.Join(gone, tx.DeleteSlot(int(k.Slot), k.Public))
		}
		return gone
	}
	e := entryOf(store.Removing, *r.object.deviceKey())
	e.Apart = r.apart.record
	r.takeBack()
	return r.token.giveBack(tx, e)
}

func (*removing) recorded() bool { return false }

// keepPublic makes the public key object one of the store, and has the key slot show none.
func (r *removing) keepPublic(tx *store.Tx) error {
	t := r.token
	public := t.publicHalf(r.object)
	if public == nil {
		return nil
	}
	now, err := t.latest(tx, public)
	if err != nil {
		return err
	}
	hidden, apart := t.record(now), recordApart(now)
	hidden.Hidden = true
	if err := errors.Join(tx.Put(hidden), tx.Put(apart)); err != nil {
		return err
	}
	r.public, r.apart = public, identity{record: apart.ID}
	t.moveHandle(public, public.id, r.apart)
	return nil
}

// recordApart is of the half of a pair that stays when its key slot is emptied.
func recordApart(o *object) *store.Record {
	attrs := o.attrs.withAll(nil)
	attrs.leaveSlot()
	return recordOf(0, attrs)
}

// takeBack gives the public key object the handle that it had in its key slot.
func (r *removing) takeBack() {
	if r.public != nil {
		r.token.moveHandle(r.public, r.apart, r.public.id)
		r.public, r.apart = nil, identity{}
	}
}

// takeBackUnlessActed is for when nothing was written, also after a panic.
func (r *removing) takeBackUnlessActed() {
	if !r.acted {
		r.takeBack()
	}
}

// giveBack makes the public key object again one of its key slot, where the key has stayed.
// What has been done to it since stays done.
func (t *token) giveBack(tx *store.Tx, e *store.Entry) error {
	if e.Apart == 0 {
		return nil
	}
	r, err := tx.Current(&store.Record{Slot: e.Slot})
	if err == nil && !bytes.Equal(r.Public, e.Public) {
		err = store.ErrNoRecord
	}
	apart, lost := tx.Current(&store.Record{ID: e.Apart})
	if errors.Is(err, store.ErrNoRecord) || errors.Is(lost, store.ErrNoRecord) {
		return nil // somebody has destroyed it
	}
	if err := errors.Join(err, lost); err != nil {
		return err
	}
	o := &object{attrs: attributesOf(apart)}
	if !o.setRules() {
		return nil
	}
	r.Hidden, r.Sealed, r.Attributes = false, o.private(), toStore(o.storedAttributes())
	if err := tx.Put(r); err != nil {
		return err
	}
	return tx.Delete(e.Apart)
}

// forgetKeys deletes what the store remembers of the key that an object is of, and
// of those that its slot has lost. The slot may hold a newer one by now, whose
// records stay.
func forgetKeys(tx *store.Tx, o *object) error {
	k := o.deviceKey()
	gone := tx.DeleteSlot(int(k.Slot), k.Public)
	for _, public := range o.lost {
		gone = errors.Join(gone, tx.DeleteSlot(int(k.Slot), public))
	}
	return gone
}

// derivedFrom returns the keys of a wallet that are derived from another. The device is asked,
// because others may have derived some since this process looked.
func (t *token) derivedFrom(k scm.Key) (derived []scm.Key, err error) {
	if !k.Slot.User() {
		return nil, nil
	}
	keys, err := t.device.Keys()
	if err == nil {
		err = t.seeNodes(keys)
	}
	top := t.nodes.nodeOfKey(k)
	if top.address == "" {
		return nil, err
	}
	for _, k := range keys {
		if n := t.nodes.nodeOfKey(k); n.wallet == top.wallet && strings.HasPrefix(n.address, top.address+"/") {
			derived = append(derived, k)
		}
	}
	return derived, err
}
