// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/sharedfile"
)

// effect is what a transaction has changed in the flash. What it tells beside the parts is
// known afterwards, and need not be read.
type effect struct {
	parts []int
	keys  map[scm.Slot]*sealedKey // what slots hold now, nil for nothing
	rest  *rest                   // everything beside the slots, as it is now; nil when that is as it was

	rootID  []byte // of the root key under which keys are sealed
	known   *rest  // what this process knew before; nil for nothing
	before  uint64 // version of everything beside the slots
	changes uint64 // of the flash, this one included; 0 when nothing counts
}

// sealedUnder says that keys are sealed under r. ErrSealed when that is not the root key of the
// flash any more.
func (e *effect) sealedUnder(tx *sql.Tx, r *root) error {
	if err := checkRoot(tx, r); err != nil {
		return err
	}
	e.rootID = r.id
	return nil
}

// touchPart says that a part has changed.
func (e *effect) touchPart(part int) { e.parts = append(e.parts, part) }

// holdKey says that a slot holds a key, or none.
func (e *effect) holdKey(s scm.Slot, k *sealedKey) {
	if s == scm.EphemeralSlot {
		e.changeRest().ephemeral = &cell{key: k}
		return
	}
	e.touchPart(partOf(s))
	if e.keys == nil {
		e.keys = make(map[scm.Slot]*sealedKey)
	}
	e.keys[s] = k
}

// changeRest returns everything beside the slots, for the transaction to make it what it is now.
// Where this process does not know what it was before, nobody looks at that.
func (e *effect) changeRest() *rest {
	e.touchPart(restPart)
	switch {
	case e.rest != nil:
	case e.knowsRest():
		next := *e.known
		e.rest = &next
	default:
		e.rest = &rest{foreign: map[scm.Slot]foreignKey{}}
	}
	return e.rest
}

// knowsRest reports whether this process knew everything beside the slots as it was before.
func (e *effect) knowsRest() bool { return e.known != nil && e.known.version == e.before }

// transact calls fn in a transaction on the flash, in which it notes what it does.
func (d *Device) transact(fn func(tx *sql.Tx, e *effect) error) error {
	var e effect
	c, err := d.file.Change(d.noting(&e, fn))
	return d.noteChange(&e, c, err)
}

// release is transact for what makes room, which works where there is none any more.
func (d *Device) release(fn func(tx *sql.Tx, e *effect) error) error {
	var e effect
	c, err := d.file.Release(d.noting(&e, fn))
	return d.noteChange(&e, c, err)
}

// expunge is release for what must be in no file any more.
func (d *Device) expunge(fn func(tx *sql.Tx, e *effect) error) error {
	var e effect
	c, err := d.file.Erase(d.noting(&e, fn))
	return d.noteChange(&e, c, err)
}

// noting makes fn, which may be called again, a function that tells the parts.
func (d *Device) noting(e *effect, fn func(tx *sql.Tx, e *effect) error) func(*sql.Tx) ([]int, error) {
	return func(tx *sql.Tx) ([]int, error) {
		*e = effect{known: d.known.Load().rest, before: d.file.PartVersion(restPart)} // nobody else changes it now
		err := fn(tx, e)
		if err == nil && len(e.parts) > 0 {
			err = d.countChange(tx, e)
		}
		return e.parts, err
	}
}

// noteChange makes known what a transaction has done.
func (d *Device) noteChange(e *effect, c sharedfile.Change, err error) error {
	if err != nil {
		return deviceError(err)
	}
	if e.changes > 0 {
		d.counted.Store(e.changes)
	}
	d.replace(func(s *snapshot) {
		if s.rest == nil || e.rootID != nil && !bytes.Equal(e.rootID, s.rootID) {
			return
		}
		s.flash = s.flash.afterChange(e, c.After)
		s.steady = d.silence(s) == nil
	})
	return nil
}

// afterChange returns f as it is after a change that has the version.
func (f *flash) afterChange(e *effect, version uint64) *flash {
	next := *f
	for s, k := range e.keys {
		next.putCell(s, &cell{version: version, key: k})
	}
	if e.rest != nil && e.knowsRest() && f.rest.version == e.before {
		e.rest.version = version
		next.rest = e.rest
	}
	return &next
}
