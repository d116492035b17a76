// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"errors"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// look runs f with the token's objects as they are now.
func (t *token) look(f func(*catalog) error) error {
	t.acquire(readSide(&t.mu))
	if t.current() {
		defer t.mu.RUnlock()
		return f(&t.objects)
	}
	t.mu.RUnlock()
	t.acquire(&t.mu)
	defer t.mu.Unlock()
	if err := t.refresh(); err != nil {
		return err
	}
	return f(&t.objects)
}

// current tells whether the catalog is up to date.
func (t *token) current() bool {
	c := &t.objects
	return c.known && c.device == t.device.Version() && c.store == t.store.Version()
}

// refresh reads the token objects anew if they may have changed. The versions
// are read first: what changes meanwhile is read the next time.
func (t *token) refresh() error {
	if t.current() {
		return nil
	}
	device, stored := t.device.Version(), t.store.Version()
	objects, err := t.read(device, stored)
	if err != nil {
		return err
	}
	old := t.objects
	t.objects = newCatalog()
	t.objects.handles, t.objects.named, t.objects.warned = old.handles, old.named, old.warned
	for _, o := range old.all {
		if o.owner != nil {
			t.objects.add(o)
		}
	}
	for _, o := range objects {
		t.objects.add(o)
	}
	t.objects.known, t.objects.device, t.objects.store = true, device, stored
	return nil
}

// forgetObjects makes the next look read the token objects.
func (t *token) forgetObjects() {
	t.acquire(&t.mu)
	defer t.mu.Unlock()
	t.objects.known = false
}

// dropSessionObjects destroys the objects of a session that ends.
func (t *token) dropSessionObjects(s *session) {
	t.dropObjects(func(o *object) bool { return o.owner == s })
}

// dropPrivate forgets the private objects when the user logs out, and their handles for
// good: those that come back get others (section 5.6.10).
func (t *token) dropPrivate() {
	t.dropObjects((*object).private)
	t.acquire(&t.mu)
	defer t.mu.Unlock()
	t.objects.known = false
	t.eras.private = t.slot.provider.newHandle()
}

func (t *token) dropObjects(which func(*object) bool) {
	t.acquire(&t.mu)
	defer t.mu.Unlock()
	var gone []*object
	for _, o := range t.objects.all {
		if which(o) {
			gone = append(gone, o)
		}
	}
	for _, o := range gone {
		t.objects.forget(o)
		t.slot.provider.revoke(o.left)
		if o.owner != nil && o.key != nil && o.class() == CKO_PRIVATE_KEY {
			t.warnOn("erasing a session key", t.device.Remove(*o.key))
		}
	}
}

// warnOn logs that a key could not be erased. One that is not there any more, as
// after a logout, needs no erasing.
func (t *token) warnOn(what string, err error) {
	if err != nil && !errors.Is(err, scm.ErrSlotEmpty) {
		t.slot.provider.log.Warningf("slot %d: %s: %v", t.slot.id, what, err)
	}
}

// object finds an object that the session may see.
func (s *session) object(handle uint) (*object, error) {
	var o *object
	err := s.token.look(func(c *catalog) error {
		if o = c.objects[handle]; o == nil || !s.readable(o) {
			return CKR_OBJECT_HANDLE_INVALID
		}
		return nil
	})
	return o, err
}

// key is object for a function that needs a key.
func (s *session) key(handle uint) (*object, error) {
	o, err := s.object(handle)
	if err == CKR_OBJECT_HANDLE_INVALID || err == nil && o.keyType() == CK_UNAVAILABLE_INFORMATION {
		return nil, CKR_KEY_HANDLE_INVALID
	}
	return o, err
}

// halves are the records of a key slot: of its public and its private key.
type halves [2]*store.Record

func half(private bool) int {
	if private {
		return 1
	}
	return 0
}

// split takes the records that are not of the key that the slot holds out, and
// returns the public keys that they are of.
func (h halves) split(k scm.Key) (of halves, lost [][]byte) {
	for i, r := range h {
		if r != nil && !bytes.Equal(r.Public, k.Public) {
			lost = append(lost, r.Public)
			h[i] = nil
		}
	}
	return h, lost
}

// quiet tells whether nobody was changing a key since the versions were read:
// between the steps of such a change the device and the store disagree.
func (t *token) quiet(device, stored uint64) bool {
	if !t.changes.TryLock() {
		return false
	}
	defer t.changes.Unlock()
	return device == t.device.Version() && stored == t.store.Version()
}

// read makes the token objects from the device and the store: the device says
// which keys there are, the store what they are called. Where they disagree, it
// is logged, unless something has changed since the versions were read.
func (t *token) read(device, stored uint64) ([]*object, error) {
	keys, err := t.device.Keys()
	if err != nil {
		return nil, err
	}
	if err := t.seeNodes(keys); err != nil {
		return nil, err
	}
	foreign, err := t.foreignKeys()
	if err != nil {
		return nil, err
	}
	records, err := t.store.Records()
	if err != nil {
		return nil, err
	}
	for _, id := range t.store.Damaged() {
		t.slot.provider.log.Errorf("slot %d: object %d in the store is damaged or was changed by somebody else; it is left out", t.slot.id, id)
	}
	var objects []*object
	if o := t.clock(); o != nil {
		objects = append(objects, o)
	}
	slots := map[scm.Slot]halves{}
	for i := range records {
		if r := &records[i]; r.Slot != store.NoSlot {
			h := slots[scm.Slot(r.Slot)]
			h[half(r.Private)] = r
			slots[scm.Slot(r.Slot)] = h
		} else if o := t.stored(r); o != nil {
			objects = append(objects, o)
		}
	}
	quiet := t.quiet(device, stored)
	for _, k := range append(keys, foreign...) {
		of, lost := slots[k.Slot].split(k)
		if isForeign(k.Slot) {
			lost = nil // see replaced
		}
		if quiet && lost != nil {
			t.warnSlot(k.Slot, "holds another key than the store remembers; it will not sign")
		}
		objects = append(objects, t.slotObjects(k, of, lost)...)
		delete(slots, k.Slot)
	}
	if quiet {
		t.reportVanished(slots)
	}
	return append(objects, t.profiles(records)...), nil
}

// reportVanished logs the key slots that the store knows and the device does
// not have any more.
func (t *token) reportVanished(slots map[scm.Slot]halves) {
	for s := range slots {
		switch {
		case t.objects.warned[s]:
		case t.conceals(s):
			t.warnSlot(s, "does not give its public key away any more; its objects are left out")
		default:
			t.warnSlot(s, "is empty, but the store remembers a key there; its objects are left out")
		}
	}
}

// conceals tells whether a key slot holds a key whose public key the device does not
// give away.
func (t *token) conceals(s scm.Slot) bool {
	if !isForeign(s) {
		_, err := t.device.PublicKey(s)
		return errors.Is(err, scm.ErrExport)
	}
	keeper, can := t.device.(scm.Keeper)
	if !can {
		return false
	}
	_, err := keeper.ForeignKey(s - foreignBase)
	return errors.Is(err, scm.ErrExport)
}

// warnSlot logs once that a key slot is not as it was.
func (t *token) warnSlot(s scm.Slot, what string) {
	if !t.objects.warned[s] {
		t.objects.warned[s] = true
		t.slot.provider.log.Errorf("slot %d: %s %s", t.slot.id, slotName(s), what)
	}
}

// stored makes the object of a record that is not in a key slot.
func (t *token) stored(r *store.Record) *object {
	if r.Attributes == nil || r.Sealed && t.user() != CKU_USER {
		return nil
	}
	o := &object{id: identity{record: r.ID}, attrs: attributesOf(r)}
	if o.class() == CKO_PRIVATE_KEY {
		return nil // the store never holds one: forged
	}
	return t.complete(o)
}

// complete gives an object its rules, its handle and its key for verifying.
// One that makes no sense is nil.
func (t *token) complete(o *object) *object {
	var err error
	if o.rules, err = rulesFor(o.class(), o.keyType()); err != nil {
		return nil
	}
	if o.class() == CKO_PUBLIC_KEY {
		if o.verify, err = publicKeyOf(o.attrs); err != nil {
			return nil
		}
	}
	return t.handled(o)
}

// slotObjects makes the objects of a key slot that the user may see, from its
// records and the keys that it has lost. The attributes of these say nothing of the
// key that is there now, which somebody else may have just made.
func (t *token) slotObjects(k scm.Key, h halves, lost [][]byte) []*object {
	var objects []*object
	for _, private := range []bool{false, true} {
		if private && (isForeign(k.Slot) || t.user() != CKU_USER) {
			continue
		}
		r := h[half(private)]
		o := &object{id: slotIdentity(k, private), key: &k, lost: lost, attrs: t.slotAttributes(k, private)}
		if r != nil {
			if r.Hidden || r.Sealed && t.user() != CKU_USER {
				continue
			}
			o.attrs = o.attrs.with(attributesOf(r))
		}
		if o = t.complete(o); o != nil {
			objects = append(objects, o)
		}
	}
	return objects
}
