// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// snapshot is what this process knows of the SCM, and has opened of it. Nobody changes
// it: a call goes on with the one that it has found, and waits for no call that makes
// another.
type snapshot struct {
	*flash   // never nil
	closed   bool
	steady   bool          // nothing in flash keeps calls from being answered
	root     *root         // nil when sealed
	next     *root         // this process is about to make it the root key; nil else
	volatile *volatileKeys // never nil
	era      uint64        // grows when keys can be used that could not before, or the reverse
}

func newSnapshot() *snapshot {
	return &snapshot{flash: new(flash), volatile: new(volatileKeys), era: 1}
}

// forget gives up everything that was read, opened or kept in memory only. The caller
// destroys the root key that it returns.
func (s *snapshot) forget() *root {
	old := s.root
	s.flash, s.steady, s.root = new(flash), false, nil
	s.volatile = s.volatile.giveUp()
	s.era++
	return old
}

// keyless reports whether the root key is to be had without a secret, and is not there.
func (s *snapshot) keyless() bool {
	return s.root == nil && s.sealed == nil && !s.condition.Destroyed
}

// span is a range of permanent and user slots: from first on, before end.
type span struct{ first, end scm.Slot }

var everySlot = span{0, scm.LastUser + 1}

// onlySlot is the span of one slot. It is empty for others than permanent and user slots.
func onlySlot(s scm.Slot) span {
	if !s.Permanent() && !s.User() {
		return span{}
	}
	return span{s, s + 1}
}

// hasSlots reports whether s has the slots, and everything beside the slots, as they were at
// some time.
func (s *snapshot) hasSlots(slots []span) bool {
	if s.rest == nil || s.keyless() {
		return false
	}
	for _, some := range slots {
		if slices.Contains(s.cells[some.first:some.end], nil) {
			return false
		}
	}
	return true
}

// learnFlash adds what was read of the flash since base was known, and the root key r that lay
// in its file. A root key that is not the one of the flash any more is given up, with all
// that was opened by it. It returns the root keys that are of no use, and reports whether f
// is of use.
func (s *snapshot) learnFlash(base *snapshot, f *flash, r *root) (useless []*root, ok bool) {
	same := s.rest != nil && bytes.Equal(s.rootID, f.rootID)
	if !same && (s.rest != base.rest || s.root != base.root) {
		return []*root{r}, false // f may be older than what is known now
	}
	switch {
	case s.next != nil && bytes.Equal(s.next.id, f.rootID):
		s.root = s.next
	case s.root != nil && !bytes.Equal(s.root.id, f.rootID):
		useless = append(useless, s.forget())
	}
	if same {
		f = s.flash.mergedWith(f)
	}
	s.flash = f
	if s.root == nil && r != nil {
		s.root, r = r, nil
		s.era++
	}
	return append(useless, r), true
}

// mergedWith returns f with what was read in another moment, under the same root key.
func (f *flash) mergedWith(g *flash) *flash {
	both := *f
	if g.rest.version > f.rest.version {
		g.ephemeral.inherit(f.ephemeral)
		both.rest = g.rest
	}
	for s, c := range g.cells {
		if c != nil {
			both.putCell(scm.Slot(s), c)
		}
	}
	return &both
}

// putCell makes c what is known of a slot, unless that is as new.
func (f *flash) putCell(s scm.Slot, c *cell) {
	old := f.cells[s]
	if old != nil && old.version >= c.version {
		return
	}
	c.inherit(old)
	f.cells[s] = c
}

// inherit keeps the private key ready that is in the slot still.
func (c *cell) inherit(old *cell) {
	if old != nil && c.key.sameAs(old.key) {
		c.ready.Store(old.ready.Load())
	}
}
