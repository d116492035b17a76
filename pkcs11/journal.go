// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// The device and the store cannot change together. What is about to be done to a key slot
// stands in the store's journal until it is done: a process that finds it there, and nobody at work,
// knows that its writer has died, and brings it to an end (docs/adr/0027).

// slotChange is a change of a key slot and of what the store remembers of it.
type slotChange interface {
	// prepare writes what has to be there before the device acts, and returns for the
	// journal what it is about to do. It may be called twice.
	prepare(*store.Tx) ([]*store.Entry, error)
	// perform has the device do it.
	perform() error
	// conclude writes what has come of it. errUnknown leaves that to mend. It may be called twice.
	conclude(tx *store.Tx, failed error) error
	// recorded reports whether there is nothing left to write once act has succeeded.
	recorded() bool
}

// errUnknown says that nobody knows yet what the device has done.
var errUnknown = errors.New("it is not known whether the device has done it")

// commit is store.Update or store.Release.
type commit func(func(*store.Tx) error) (store.Change, error)

// journaled makes a change of a key slot. What it begins with is on stable storage before the
// device acts. What it ends with need not be: mend would do the same.
func (t *token) journaled(c slotChange, first commit) error {
	finished, err := t.carryOut(c, first)
	if !finished {
		t.mendJournal(0)
	}
	return err
}

// carryOut makes a change, and reports whether nothing of this or of another process is left in the journal.
func (t *token) carryOut(c slotChange, first commit) (finished bool, err error) {
	release, err := t.store.AmongOthers()
	if err != nil {
		return true, err
	}
	defer release()
	var entries []*store.Entry
	err = t.noteWritten(first(func(tx *store.Tx) error {
		others, err := tx.Journal()
		if err != nil {
			return err
		}
		finished = t.hasWritten(others)
		if err := tx.Strike(t.over...); err != nil {
			return err
		}
		if entries, err = c.prepare(tx); err != nil {
			return err
		}
		return tx.Note(entries...)
	}))
	if err != nil {
		return finished, err
	}
	t.over = nil
	failed := c.perform()
	if failed == nil && c.recorded() {
		t.over = entries
		t.strikeOver()
		return finished, nil
	}
	ended := t.noteWritten(t.store.Relaxed(func(tx *store.Tx) error {
		return errors.Join(c.conclude(tx, failed), tx.Strike(entries...))
	}))
	if !errors.Is(ended, errUnknown) {
		t.warnIfFailed("ending a change of a key slot", ended)
	}
	return finished && ended == nil, failed
}

// hasWritten reports whether all entries are those that this process has done with.
func (t *token) hasWritten(entries []store.Entry) bool {
	mine := map[int64]bool{}
	for _, e := range t.over {
		mine[e.ID] = true
	}
	for _, e := range entries {
		if !mine[e.ID] {
			return false
		}
	}
	return true
}

// strikeOver takes out what this process has done. While others write it is left for the next
// change, or for the next to mend.
func (t *token) strikeOver() {
	if len(t.over) == 0 {
		return
	}
	if t.strike(0, t.over...) == nil {
		t.over = nil
	}
}

// strike takes entries out of the journal, if others are at work for no longer than wait.
func (t *token) strike(wait time.Duration, entries ...*store.Entry) error {
	return t.noteWritten(t.store.Soon(wait, func(tx *store.Tx) error { return tx.Strike(entries...) }))
}

// entryOf is the entry of a change of a key.
func entryOf(kind store.Kind, k scm.Key) *store.Entry {
	return &store.Entry{Kind: kind, Slot: int(k.Slot), Public: k.Public}
}

// mendWait is how long a login waits for others, to mend.
const mendWait = 20 * time.Millisecond

// copied reports whether there is something to mend, and the token or the device is an older
// copy, whose keys and records say nothing of how far a change has come. It is asked before a
// login, which warns of the copy once.
func (t *token) copied() bool {
	left, err := t.store.Journal()
	if err != nil || len(left) == 0 {
		return false
	}
	older, err := t.store.Older()
	return older || err != nil
}

// mendJournal brings to an end what processes have begun that have died, once a user is logged in,
// whose secret has proven that the token and the device belong together. What cannot be done
// now, because others are at work for longer than wait, stays in the journal.
func (t *token) mendJournal(wait time.Duration) {
	if t.store.ReadOnly() || t.user() == nobody || t.older.Load() {
		return
	}
	if left, err := t.store.Journal(); err != nil || len(left) == 0 {
		return
	}
	release, err := t.store.Mending(wait)
	if err != nil {
		return // others are at work
	}
	defer release()
	t.mendEntries(wait)
}

// mendEntries is called by the one process that mends.
func (t *token) mendEntries(wait time.Duration) {
	left, err := t.store.Journal()
	if err != nil {
		return
	}
	for i := range left {
		err := t.mendOne(&left[i], wait)
		if err != nil && !errors.Is(err, store.ErrBusy) && t.warned.firstForEntry(left[i].ID) {
			t.warnIfFailed("ending what a program has begun that was killed", err)
		}
	}
}

// mendOne brings one change to an end, if the device tells how far it has come.
func (t *token) mendOne(e *store.Entry, wait time.Duration) error {
	if e.Kind == store.Choosing {
		return t.mendChoosing(e, wait)
	}
	there, err := t.holdsKey(scm.Key{Slot: scm.Slot(e.Slot), Public: e.Public})
	if errors.Is(err, scm.ErrSlotRange) { // the device has fewer slots now, and may have more again
		return t.strike(wait, e)
	}
	if err != nil {
		return err
	}
	err = t.noteWritten(t.store.Soon(wait, func(tx *store.Tx) (err error) {
		switch {
		case !there:
			err = tx.DeleteSlot(e.Slot, e.Public)
		case e.Kind == store.Removing:
			err = t.giveBack(tx, e)
		}
		return errors.Join(err, tx.Strike(e))
	}))
	if errors.Is(err, store.ErrLocked) {
		return nil // it waits for a login
	}
	return err
}

// holdsKey reports whether a key is in its slot, or in its foreign slot.
func (t *token) holdsKey(k scm.Key) (bool, error) {
	now, err := t.keyInSlot(k.Slot)
	switch {
	case errors.Is(err, scm.ErrExport):
		return true, nil // which nobody makes, nor removes, by PKCS#11
	case errors.Is(err, scm.ErrSlotEmpty):
		return false, nil
	}
	return bytes.Equal(now.Public, k.Public), err
}

// keyInSlot asks the device for the key in a slot, or in a foreign slot.
func (t *token) keyInSlot(s scm.Slot) (scm.Key, error) {
	if !isForeign(s) {
		return t.device.PublicKey(s)
	}
	keeper, can := t.device.(scm.Keeper)
	if !can {
		return scm.Key{}, scm.ErrAbility
	}
	return keeper.ForeignKey(s - foreignBase)
}

// knownKeys names the keys in user slots, so that a new one can be told from them.
func (t *token) knownKeys() ([]byte, error) {
	l, err := t.listing()
	if err != nil {
		return nil, err
	}
	var names []byte
	for _, k := range l.keys {
		if k.Slot.User() {
			names = append(names, nameOf(k)...)
		}
	}
	return names, nil
}

// nameSize is how many bytes name a key for as long as another one is made.
const nameSize = 8

func nameOf(k scm.Key) []byte {
	sum := sha256.Sum256(k.Public)
	return append(binary.BigEndian.AppendUint16(nil, uint16(k.Slot)), sum[:nameSize-2]...)
}

// mendChoosing looks for a key that is new since a program was killed that had asked the
// device for one. Another program may have made it, so it stays.
func (t *token) mendChoosing(e *store.Entry, wait time.Duration) error {
	known := map[string]bool{}
	for b := e.Known; len(b) >= nameSize; b = b[nameSize:] {
		known[string(b[:nameSize])] = true
	}
	keys, err := t.device.Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Slot.User() && !known[string(nameOf(k))] {
			t.reportNew(k)
		}
	}
	return t.strike(wait, e)
}

// reportNew logs a key that nobody has named.
func (t *token) reportNew(k scm.Key) {
	if named, err := t.store.Remembers(int(k.Slot), k.Public); err == nil && !named {
		t.slot.provider.log.Warningf("slot %d: a program was killed while it made a key pair, perhaps the one in key slot %d, which has no name; it can be destroyed if no other program has made it", t.slot.id, k.Slot)
	}
}
