// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"sync"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// warned are the key slots and records of which a line is in the log already.
type warned struct {
	mu      sync.Mutex
	slots   map[scm.Slot]bool
	records map[int64]bool
}

func newWarned() warned {
	return warned{slots: map[scm.Slot]bool{}, records: map[int64]bool{}}
}

func (w *warned) slot(s scm.Slot) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = !w.slots[s]
	w.slots[s] = true
	return first
}

func (w *warned) record(id int64) (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first = !w.records[id]
	w.records[id] = true
	return first
}

// warnSlot logs once that a key slot is not as it was.
func (t *token) warnSlot(s scm.Slot, what string) {
	if t.warned.slot(s) {
		t.slot.provider.log.Errorf("slot %d: %s %s", t.slot.id, slotName(s), what)
	}
}

// warnRecord logs once that a record is not as the store wrote it.
func (t *token) warnRecord(id int64) {
	if t.warned.record(id) {
		t.slot.provider.log.Errorf("slot %d: object %d in the store is damaged or was changed by somebody else; it is left out", t.slot.id, id)
	}
}

// reportVanished logs the key slots that the store knows and the device does not have any
// more.
func (t *token) reportVanished(slots map[scm.Slot]halves) {
	for s := range slots {
		what := "is empty, but the store remembers a key there; its objects are left out"
		if t.conceals(s) {
			what = "does not give its public key away any more; its objects are left out"
		}
		t.warnSlot(s, what)
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

// warnOn logs that a key could not be erased. One that is not there any more, as
// after a logout, needs no erasing, and descriptors that the host has closed are told by
// the call that met them.
func (t *token) warnOn(what string, err error) {
	if err != nil && !errors.Is(err, scm.ErrSlotEmpty) && !errors.Is(err, store.ErrLost) {
		t.slot.provider.log.Warningf("slot %d: %s: %v", t.slot.id, what, err)
	}
}
