// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"database/sql"
	"errors"
	"time"
)

// upToDate reports whether s has the slots, and everything beside the slots, as they are now.
func (d *Device) upToDate(s *snapshot, slots []span) bool {
	if s.rest == nil || s.keyless() || s.rest.version != d.file.PartVersion(restPart) {
		return false
	}
	for _, some := range slots {
		for i := some.first; i < some.end; i++ {
			if c := s.cells[i]; c == nil || c.version != d.file.PartVersion(partOf(i)) {
				return false
			}
		}
	}
	return true
}

// refresh returns what is known once it has the slots, and everything beside the slots,
// as they are now. It reads what has changed, and nothing else.
func (d *Device) refresh(slots ...span) (*snapshot, error) {
	if d.takeTurn(slots) {
		defer d.reading.Unlock()
	}
	for {
		s := d.known.Load()
		if s.closed {
			return s, errClosed
		}
		if d.upToDate(s, slots) {
			return s, nil
		}
		f, r, err := d.readChanged(s, slots)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return s, deviceError(err)
		}
		if s, ok := d.learnFlash(s, f, r); ok && s.hasSlots(slots) {
			return s, nil
		}
	}
}

// errMoved says that a change has come between two steps of reading.
var errMoved = errors.New("the flash has changed meanwhile")

// readChanged reads what s does not have of the flash as it is now, and the root key when
// that lies in its file and s does not have it.
//
// The versions are read first: when the flash changes in between, the next call finds
// others, and reads again. Of a change that is committed and has no version yet, some slots
// may show the state after it and others the one before. But no key is seen without the
// identity of the root key that opens it.
func (d *Device) readChanged(s *snapshot, slots []span) (*flash, *root, error) {
	f := new(flash)
	version := d.file.PartVersion(restPart)
	for _, some := range slots {
		for i := some.first; i < some.end; i++ {
			v := d.file.PartVersion(partOf(i))
			if c := s.cells[i]; c == nil || c.version != v {
				f.cells[i] = &cell{version: v}
			}
		}
	}
	err := d.file.View(func(tx *sql.Tx) error {
		id, err := rootIDOf(tx)
		if err != nil {
			return err
		}
		f.rest = s.rest
		if s.rest == nil || s.rest.version != version || !bytes.Equal(s.rootID, id) {
			if f.rest, err = d.readRest(tx, version); err != nil {
				return err
			}
		}
		return f.readCells(tx)
	})
	if err != nil {
		return nil, nil, err
	}
	r, err := d.readRoot(s, f)
	return f, r, err
}

func (d *Device) readRest(tx *sql.Tx, version uint64) (*rest, error) {
	r, err := readRest(tx)
	if err != nil {
		return nil, err
	}
	r.version = version
	r.condition.Meet(d.options.Host)
	return r, nil
}

// readRoot returns the root key of f from its file, nil when s has it or a secret seals
// it. errMoved when the file may be that of another root key.
func (d *Device) readRoot(s *snapshot, f *flash) (*root, error) {
	if f.sealed != nil || f.condition.Destroyed || s.root != nil && bytes.Equal(s.root.id, f.rootID) {
		return nil, nil
	}
	r, err := d.rootKey.read(f.rootID)
	if d.file.PartVersion(restPart) != f.rest.version {
		r.destroy()
		return nil, errMoved
	}
	if err == nil {
		err = d.rootKey.check(r, f.secrets)
	}
	if err != nil {
		r.destroy()
		return nil, err
	}
	return r, nil
}

// learnFlash makes known what was read since base was, and returns what is known then. It reports
// whether that is what was read, or later.
func (d *Device) learnFlash(base *snapshot, f *flash, r *root) (s *snapshot, ok bool) {
	useless := []*root{r}
	s = d.replace(func(s *snapshot) {
		useless, ok = s.learnFlash(base, f, r)
		s.steady = s.rest != nil && d.silence(s) == nil
	})
	for _, r := range useless {
		r.destroy()
	}
	return s, ok
}

// replace puts a changed copy of what is known in its place, unless the device is closed.
func (d *Device) replace(change func(*snapshot)) *snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := *d.known.Load()
	if !s.closed {
		change(&s)
		d.known.Store(&s)
	}
	return &s
}

// forget seals the device for this process.
func (d *Device) forget() {
	var old *root
	d.replace(func(s *snapshot) { old = s.forget() })
	old.destroy()
}

// Readings of the flash take turns, since the next one may find all that it needs. A call
// that has waited for so long reads beside the other, which waits for the file.
const (
	firstPause = 20 * time.Microsecond
	patience   = 10 * time.Millisecond
)

// takeTurn waits for another's reading to end, or to bring what this one is for. It reports
// whether it holds reading.
func (d *Device) takeTurn(slots []span) bool {
	deadline := time.Now().Add(patience)
	for p := firstPause; !d.reading.TryLock(); p *= 2 {
		if time.Now().After(deadline) || d.upToDate(d.known.Load(), slots) {
			return false
		}
		d.pauseFor(p)
	}
	return true
}
