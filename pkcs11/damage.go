// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"sync"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// warned are the key slots, records and entries of the journal of which a line is in the log already.
type warned struct {
	mu      sync.Mutex
	slots   map[scm.Slot]bool
	records map[int64]bool
	entries map[int64]bool // of the journal
}

func newWarned() warned {
	return warned{slots: map[scm.Slot]bool{}, records: map[int64]bool{}, entries: map[int64]bool{}}
}

func (w *warned) firstForSlot(s scm.Slot) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = !w.slots[s]
	w.slots[s] = true
	return first
}

// knowsSlot reports whether a line is in the log already.
func (w *warned) knowsSlot(s scm.Slot) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots[s]
}

func (w *warned) firstForRecord(id int64) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = !w.records[id]
	w.records[id] = true
	return first
}

func (w *warned) firstForEntry(id int64) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = !w.entries[id]
	w.entries[id] = true
	return first
}

// warnSlot logs once that a key slot is not as it was.
func (t *token) warnSlot(s scm.Slot, what string) {
	if t.warned.firstForSlot(s) {
		t.slot.provider.log.Errorf("slot %d: %s %s", t.slot.id, slotName(s), what)
	}
}

// warnRecord logs once that a record is not as the store wrote it.
func (t *token) warnRecord(id int64) {
	if t.warned.firstForRecord(id) {
		t.slot.provider.log.Errorf("slot %d: object %d in the store is damaged or was changed by somebody else; it is left out", t.slot.id, id)
	}
}

// reportDamage logs the key slots in which the device has not what the store remembers.
func (t *token) reportDamage(c *catalog, vanished map[scm.Slot][]halves) {
	for s, p := range c.slots {
		if len(p.lost) > 0 && t.differs(c, s, p.lost) {
			t.warnSlot(s, "holds another key than the store remembers; it will not sign")
		}
	}
	for s, h := range vanished {
		if isForeign(s) && !c.foreign {
			continue
		}
		_, lost := h[0].ofKey(scm.Key{})
		if !t.differs(c, s, lost) {
			continue
		}
		what := "is empty, but the store remembers a key there; its objects are left out"
		switch hidden := t.conceals(s); {
		case errors.Is(hidden, scm.ErrDevice): // which has said why
			continue
		case errors.Is(hidden, scm.ErrExport):
			what = "does not give its public key away any more; its objects are left out"
		}
		t.warnSlot(s, what)
	}
}

// differs reports whether the store remembers a key that the device does not have, and nobody
// is at work on it. The records in a catalog may be older than its keys, and a change of both
// takes a while: so the store is asked again, while the device stays as it is.
func (t *token) differs(c *catalog, s scm.Slot, lost [][]byte) bool {
	if t.warned.knowsSlot(s) {
		return false
	}
	for _, public := range lost {
		settled, err := t.store.Settled(int(s), public)
		if err == nil && settled && t.device.Version() == c.device {
			return true
		}
	}
	return false
}

// conceals answers why the device does not give the public key of a slot away: ErrExport,
// and ErrDevice, too, when what it gives is none.
func (t *token) conceals(s scm.Slot) error {
	_, err := t.keyInSlot(s)
	return err
}

// warnIfFailed logs that a key could not be erased. One that is not there any more, as
// after a logout, needs no erasing, and descriptors that the host has closed are told by
// the call that met them.
func (t *token) warnIfFailed(what string, err error) {
	if err != nil && !errors.Is(err, scm.ErrSlotEmpty) && !errors.Is(err, store.ErrLost) {
		t.slot.provider.log.Warningf("slot %d: %s: %v", t.slot.id, what, err)
	}
}
