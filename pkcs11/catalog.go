// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"slices"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// catalog is what a process knows at one moment of a token's objects that are not stored
// objects: those of key slots, the clock, the profiles. It is never changed; what comes
// after it shares with it what has stayed the same. Stored objects may be many, and are
// looked for in the store.
type catalog struct {
	login          uint64 // the login that sees it
	device, stored uint64 // versions of the device and the store of which it is made
	revision       uint64 // of the records
	keys           []scm.Key
	seen           *stamps // of the key slots, from before the keys were listed
	nodes          bool    // the places of keys in wallets are known
	foreign        bool    // foreign keys are among the keys
	slots          map[scm.Slot]keySlot
	records        map[int64]*store.Record // of key slots
	objects        []*object               // in their order
	handles        map[uint]*object
}

// keySlot is a key slot as a catalog has it: the key in it, what the store says of it, and what comes of both.
type keySlot struct {
	key     scm.Key
	node    node
	records []halves // of its names; the first is there always
	lost    [][]byte // public keys that the store remembers instead
	objects []*object
}

// halves are the records of a name of a key slot: of its public and its private key.
type halves struct{ public, private *store.Record }

// ofKey takes the records that are not of the key that the slot holds out, and returns the
// public keys that they are of.
func (h halves) ofKey(k scm.Key) (of halves, lost [][]byte) {
	if h.public != nil && !bytes.Equal(h.public.Public, k.Public) {
		lost, h.public = append(lost, h.public.Public), nil
	}
	if h.private != nil && !bytes.Equal(h.private.Public, k.Public) {
		lost, h.private = append(lost, h.private.Public), nil
	}
	return h, lost
}

// isMadeOf reports whether the key slot is still made of these.
func (p *keySlot) isMadeOf(k scm.Key, n node, h []halves) bool {
	return p.key.Curve == k.Curve && bytes.Equal(p.key.Public, k.Public) && p.node == n && slices.Equal(p.records, h)
}

// bySlot sorts the records by key slot, and those of a slot by name.
func bySlot(records map[int64]*store.Record) map[scm.Slot][]halves {
	slots := make(map[scm.Slot][]halves, len(records))
	for _, r := range records {
		slot, name := r.KeySlot()
		if name >= store.MostNames {
			continue // forged
		}
		names := slots[scm.Slot(slot)]
		for len(names) <= name {
			names = append(names, halves{})
		}
		if r.Private {
			names[name].private = r
		} else {
			names[name].public = r
		}
		slots[scm.Slot(slot)] = names
	}
	return slots
}

// applied returns the records after changes, and leaves those before as they are.
func applied(before map[int64]*store.Record, changes *store.Changes) map[int64]*store.Record {
	if !changes.Whole && len(changes.Slots)+len(changes.Deleted)+len(changes.Damaged) == 0 {
		return before
	}
	after := make(map[int64]*store.Record, len(before)+len(changes.Slots))
	if !changes.Whole {
		for id, r := range before {
			after[id] = r
		}
	}
	for _, gone := range [][]int64{changes.Deleted, changes.Damaged} {
		for _, id := range gone {
			delete(after, id)
		}
	}
	for i := range changes.Slots {
		after[changes.Slots[i].ID] = &changes.Slots[i]
	}
	return after
}

// nextCatalog makes the catalog that comes after old, which may be nil: the device says which
// keys there are, the store what they are called. Where they disagree it is logged, unless
// somebody is changing something.
func (t *token) nextCatalog(old *catalog, login uint64) (*catalog, error) {
	// The versions are read first: what changes meanwhile is read the next time.
	c := &catalog{login: login, device: t.device.Version(), stored: t.store.Version(), nodes: t.nodes.wanted.Load(), foreign: t.foreignWanted.Load()}
	if old == nil {
		old = &catalog{device: ^c.device, stored: ^c.stored}
	}
	c.keys, c.seen, c.records, c.revision = old.keys, old.seen, old.records, old.revision
	if c.device != old.device || c.foreign != old.foreign {
		if err := t.readKeys(c); err != nil {
			return nil, err
		}
	}
	if c.nodes && (c.device != old.device || !old.nodes) {
		if err := t.seeNodes(c.keys); err != nil {
			return nil, err
		}
	}
	if c.stored != old.stored {
		if err := t.readChanges(c); err != nil {
			return nil, err
		}
	}
	t.arrange(c, old)
	return c, nil
}

// readKeys lists the keys of the device, foreign ones last.
func (t *token) readKeys(c *catalog) error {
	l, err := t.listing()
	if err != nil {
		return err
	}
	c.keys, c.seen = l.keys, l.seen
	if !c.foreign {
		return nil
	}
	foreign, err := t.foreignKeys()
	c.keys = slices.Concat(l.keys, foreign)
	return err
}

// keyList are the keys that the device had at a version.
type keyList struct {
	version uint64
	keys    []scm.Key
	seen    *stamps // from before
}

// listing lists the keys of the device, which is asked once for each version.
func (t *token) listing() (*keyList, error) {
	version := t.device.Version()
	if l := t.listed.Load(); l != nil && l.version == version {
		return l, nil
	}
	seen := t.allStamps(version)
	keys, err := t.device.Keys()
	if err != nil {
		return nil, err
	}
	l := &keyList{version, keys, seen}
	t.listed.Store(l)
	return l, nil
}

// readChanges brings the records of key slots up to date, and gives up what is known of
// stored objects that have changed.
func (t *token) readChanges(c *catalog) error {
	changes, err := t.store.ChangesSince(c.revision)
	if err != nil {
		return err
	}
	c.records, c.revision = applied(c.records, changes), changes.Revision
	t.loaded.dropChanged(changes)
	for _, id := range changes.Damaged {
		t.warnRecord(id)
	}
	t.names.giveUp(changes.Deleted)
	return nil
}

// arrange makes the objects. Those of a key slot in which nothing is new stay.
func (t *token) arrange(c, old *catalog) {
	c.slots = make(map[scm.Slot]keySlot, len(c.keys))
	c.handles = make(map[uint]*object, len(old.handles)+2)
	quiet := t.isUnchanging(c)
	slots := bySlot(c.records)
	c.addObjects(t.clockObject())
	for _, k := range c.keys {
		p := t.keySlotFor(k, slots[k.Slot], old)
		c.slots[k.Slot] = p
		c.addObjects(p.objects...)
		delete(slots, k.Slot)
	}
	c.addObjects(t.profileObjects()...)
	t.names.dropMissing(c)
	c.confirm(c.seen)
	if quiet {
		t.reportDamage(c, slots)
	}
}

// keySlotFor returns what is in a key slot. When nothing of it has changed, that is what an
// older catalog has.
func (t *token) keySlotFor(k scm.Key, records []halves, old *catalog) keySlot {
	node := t.nodes.nodeOfKey(k)
	if p, known := old.slots[k.Slot]; known && p.isMadeOf(k, node, records) {
		return p
	}
	return t.newKeySlot(k, node, records)
}

// addObjects adds objects; nil is none.
func (c *catalog) addObjects(objects ...*object) {
	for _, o := range objects {
		if o != nil {
			c.objects = append(c.objects, o)
			c.handles[o.handle] = o
		}
	}
}

// newKeySlot makes the objects of a key slot that the user may see. The attributes of records
// that are of another key say nothing of the one that is there now, which somebody else may
// have just made.
func (t *token) newKeySlot(k scm.Key, n node, records []halves) keySlot {
	p := keySlot{key: k, node: n, records: records}
	var first halves
	if len(records) > 0 {
		first = records[0]
	}
	of, lost := first.ofKey(k)
	if !isForeign(k.Slot) { // see replaced
		p.lost = lost
	}
	if t.slot.options.ShowBound && of == (halves{}) && len(p.lost) == 0 {
		return p
	}
	p.addHalf(t.slotObject(k, publicHalf, of.public))
	p.addHalf(t.slotObject(k, privateHalf, of.private))
	p.objects = append(p.objects, t.furtherObjects(k, records)...)
	return p
}

// addHalf adds half of a key pair, unless it is not there.
func (p *keySlot) addHalf(o *object) {
	if o != nil {
		o.lost = p.lost
		p.objects = append(p.objects, o)
	}
}

// slotObject makes the object of one half of a key pair by its first name, nil when the user may not see one.
func (t *token) slotObject(k scm.Key, h half, r *store.Record) *object {
	return t.decorate(&object{id: slotIdentity(k, h), place: placeOf(k), attrs: t.slotAttributes(k, h)}, r)
}

// decorate gives an object of a key slot what the store has of it; nil when the user may not see it.
func (t *token) decorate(o *object, r *store.Record) *object {
	k := *o.deviceKey()
	if o.id.half == privateHalf && (isForeign(k.Slot) || t.user() != CKU_USER) {
		return nil
	}
	if r != nil {
		if r.Hidden || r.Sealed && (t.user() != CKU_USER || r.Attributes == nil) {
			return nil
		}
		o.attrs = o.attrs.withAll(attributesOf(r)).withAll(t.nodes.nodeOfKey(k).attributes())
	}
	if !o.setRules() {
		return nil
	}
	o.handle = t.slotHandle(o)
	return o
}

// hasSlotsOf reports whether the objects of key slots are those of another catalog.
func (c *catalog) hasSlotsOf(other *catalog) bool {
	if len(c.slots) != len(other.slots) {
		return false
	}
	for slot, p := range c.slots {
		before, known := other.slots[slot]
		if !known || !slices.Equal(p.objects, before.objects) {
			return false
		}
	}
	return true
}

// isUnchanging reports whether nobody was changing a key since the versions were read: between the
// steps of such a change the device and the store disagree.
func (t *token) isUnchanging(c *catalog) bool {
	if !t.changes.TryLock() {
		return false
	}
	defer t.changes.Unlock()
	return c.device == t.device.Version() && c.stored == t.store.Version()
}
