// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"libzk_pkcs11/internal/scm"
)

// knowledge is what was last read of the key slots.
type knowledge struct {
	version  uint64    // of Device.Version
	changes  uint64    // version of the changes that are known
	read     time.Time // when
	stale    bool      // something may have changed since
	doubted  bool      // the module may be another one since
	swept    bool      // the slots were listed by this process
	slots    map[scm.Slot]slot
	keys     []scm.Key         // those of slots, in ascending order; nobody changes it
	unlisted map[scm.Slot]bool // permanent slots that no list has, and whether they are there
}

// slot is an allocated key slot.
type slot struct {
	key    scm.Key // Public is nil for a key that the module does not show
	broken error   // why what the module shows is no public key
	mark   int64   // the slot's number in changes when it was read
	seen   bool    // by this process, and not before it
	hides  bool    // it was not shown when it was last asked for

	unlisted bool  // of a foreign key: it is there, and no list has it
	node     *node // nil until it is asked for
}

// Version changes when a device with the same Options.State has changed a key
// slot, and when Options.Refresh has passed, since others may have then.
func (d *Device) Version() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := &d.known
	if now := d.changes.version(); now != k.changes {
		k.changes, k.stale = now, true
		k.version++
	}
	if !k.stale && time.Since(k.read) >= d.options.Refresh {
		k.stale = true
		k.version++
	}
	return k.version
}

// forget makes the next call list the key slots anew, and look whether the module is the
// one that it was. Keys that it shows are believed until then; whatever it refused is not.
func (d *Device) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := &d.known
	maps.DeleteFunc(k.unlisted, func(s scm.Slot, _ bool) bool { return s.User() })
	for n, s := range k.slots {
		if s.key.Public == nil {
			delete(k.slots, n)
			continue
		}
		s.seen = false
		k.slots[n] = s
	}
	k.stale, k.doubted = true, true
	k.version++
}

// forgetSlot makes the next call read one key slot anew.
func (d *Device) forgetSlot(s scm.Slot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known.slots, s)
	if s.User() {
		delete(d.known.unlisted, s)
	}
	d.known.stale = true
	d.known.version++
}

// current returns the keys of the module, from memory where they are known.
func (d *Device) current() ([]scm.Key, error) {
	if keys, ok := d.remembered(); ok {
		return keys, nil
	}
	d.takeTurn()
	defer d.calls.Unlock()
	return d.currentLocked()
}

func (d *Device) currentLocked() (keys []scm.Key, err error) {
	if keys, ok := d.remembered(); ok { // by the one who held calls before
		return keys, nil
	}
	for t := d.newTries(); t.next(&err); {
		err = d.readSlotsAnew()
	}
	keys, _ = d.remembered()
	return keys, err
}

func (d *Device) remembered() (keys []scm.Key, ok bool) {
	d.Version()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known.keys, !d.known.stale && d.known.swept
}

// readSlotsAnew asks the module for its key slots, and for the public keys of those that
// are new or were changed. The caller holds calls.
func (d *Device) readSlotsAnew() error {
	began := time.Now()
	version := d.changes.version()
	marks, err := d.changes.marks()
	if err != nil {
		return err
	}
	if err := d.sameModule(); err != nil {
		return err
	}
	numbers, err := d.readList()
	if err != nil {
		return err
	}
	slots, err := d.readSlots(numbers, marks)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.known.slots, d.known.keys = slots, keysOf(slots)
	d.known.changes, d.known.read, d.known.stale, d.known.swept = version, began, false, true
	d.mu.Unlock()
	d.remember()
	return nil
}

// sameModule forgets everything when another module has come since the last failure.
func (d *Device) sameModule() error {
	d.mu.Lock()
	doubted, was := d.known.doubted, d.info
	d.mu.Unlock()
	if !doubted || was.Serial == "" {
		return nil
	}
	serial, err := d.serial()
	if err != nil && !unable(err) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known.doubted = false
	if err == nil && serial != was.Serial {
		d.forgetModule()
	}
	return nil
}

// forgetModule gives up what is known of a module that is another one now. It is called with
// d.mu.
func (d *Device) forgetModule() {
	d.info = scm.Info{}
	d.known.slots, d.known.unlisted = nil, map[scm.Slot]bool{}
	d.known.version++
	d.foreign = foreignKeys{}
}

func (d *Device) readSlots(numbers []scm.Slot, marks map[scm.Slot]int64) (map[scm.Slot]slot, error) {
	slots := make(map[scm.Slot]slot, len(numbers))
	doubtful, hidden := d.doubtful(numbers), 0
	var broken breakage
	for _, n := range numbers {
		known, ok := d.knownSlot(n)
		if ok && known.mark == marks[n] && n != doubtful {
			slots[n] = known
			continue
		}
		key, err := d.readKey(n)
		if isFatal(err) {
			return nil, err
		}
		now := slot{key: key, mark: marks[n], seen: true}
		switch {
		case err == nil && ok && bytes.Equal(key.Public, known.key.Public):
			now.node = known.node
		case refused(err) && ok && known.key.Public != nil && known.mark == marks[n] && !known.hides:
			now = known // a call can fail; if the module refuses it again, the key is hidden
			now.hides = true
			hidden++
		case refused(err) && d.unlists && n.User(): // it is not known to be there
			hidden++
			continue
		case refused(err):
			hidden++
		case err != nil && ok && known.key.Public != nil && known.mark == marks[n]:
			now = known // a key that was seen once signs by that
		case err != nil:
			now.broken = err
			broken.addSlot(n, err)
		}
		slots[n] = now
	}
	broken.report(d, "key slots")
	if hidden == 0 {
		return slots, nil
	}
	// Some keys are not shown: the module may refuse for a reason of theirs. If
	// the context is dead this fails, too.
	return slots, d.checkAlive()
}

// doubtful is a slot whose key this process knows from another one. Of these, one is read
// anew each time the slots are listed, but for the first time; -1 stands for none.
func (d *Device) doubtful(numbers []scm.Slot) scm.Slot {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range numbers {
		if s, ok := d.known.slots[n]; ok && !s.seen && d.known.swept {
			return n
		}
	}
	return -1
}

// knownSlot returns what is known of a slot, and reports whether anything is.
func (d *Device) knownSlot(n scm.Slot) (slot, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.known.slots[n]
	return s, ok
}

// sawKey notes that a key is in its slot, as a signature shows.
func (d *Device) sawKey(k scm.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.known.slots[k.Slot]
	if !ok || s.seen || !bytes.Equal(s.key.Public, k.Public) {
		return
	}
	s.seen = true
	d.known.slots[k.Slot] = s
}

func keysOf(slots map[scm.Slot]slot) []scm.Key {
	keys := make([]scm.Key, 0, len(slots))
	for _, s := range slots {
		if s.key.Public != nil {
			keys = append(keys, s.key)
		}
	}
	slices.SortFunc(keys, func(a, b scm.Key) int { return int(a.Slot - b.Slot) })
	return keys
}

// Keys lists the key slots whose public keys the module shows.
func (d *Device) Keys() ([]scm.Key, error) {
	keys, err := d.current()
	if err != nil {
		return nil, err
	}
	all := make([]scm.Key, len(keys))
	for i, k := range keys {
		all[i] = cloneKey(k)
	}
	return all, nil
}

// PublicKey returns the key in a slot.
func (d *Device) PublicKey(s scm.Slot) (scm.Key, error) {
	k, err := d.lookUpKey(s)
	return cloneKey(k), err
}

// lookUpKey is PublicKey without a copy.
func (d *Device) lookUpKey(s scm.Slot) (scm.Key, error) {
	if !s.Permanent() && !s.User() {
		return scm.Key{}, errRange(s)
	}
	keys, err := d.current()
	if err != nil {
		return scm.Key{}, fmt.Errorf("slot %d: %w", s, err)
	}
	i, ok := slices.BinarySearchFunc(keys, s, func(k scm.Key, s scm.Slot) int { return int(k.Slot - s) })
	if ok {
		return keys[i], nil
	}
	switch there, allocated := d.knownSlot(s); {
	case there.broken != nil:
		return scm.Key{}, fmt.Errorf("slot %d: %w: %w", int(s), scm.ErrExport, there.broken)
	case allocated:
		return scm.Key{}, errHidden(s)
	}
	return scm.Key{}, errEmpty(s)
}

func cloneKey(k scm.Key) scm.Key {
	k.Public = slices.Clone(k.Public)
	return k
}
