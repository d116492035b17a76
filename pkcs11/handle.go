// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"sync"
)

// Handles of sessions and session objects are counted. Those of token objects follow from
// what they name, so that no table of them is needed, neither here nor in a forked child
// (docs/adr/0022): that of a stored object holds the number of its record, that of an
// object of a key slot is a hash. The highest bit is left to programs that take handles
// for signed numbers.
const (
	namesTokenObject = uint(1) << (bits.UintSize - 2)
	namesRecord      = namesTokenObject >> 1 // with namesTokenObject
	namesPrivate     = namesTokenObject >> 2 // with namesRecord
)

// Below these bits stand an era and the number of a record.
const (
	eraBits    = 8 + (bits.UintSize/64)*16
	recordBits = bits.UintSize - 4 - eraBits
)

// newHandle returns a number that was no handle before.
func (p *Provider) newHandle() uint {
	for {
		if h := uint(p.handles.Add(1)) &^ (namesTokenObject | namesTokenObject<<1); h != 0 {
			return h
		}
	}
}

// eras tell the handles that a token's objects have now from those that they had before: a
// token that has come back has others, and private objects have others after a logout.
// They are numbers that were no handles.
type eras struct{ public, private uint }

// of returns the era of public or of private objects.
func (e eras) of(private bool) uint {
	if private {
		return e.private
	}
	return e.public
}

// names are the handles of a token's objects.
type names struct {
	mu    sync.Mutex
	eras  eras
	slots map[identity]uint // of objects of key slots, and of the few stored ones that keep another
	back  map[uint]identity
	left  []Piece // handles that children have to be told
}

func newNames(e eras) names {
	return names{eras: e, slots: map[identity]uint{}, back: map[uint]identity{}}
}

// now returns the eras.
func (n *names) now() eras {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.eras
}

// set gives an identity a handle. The caller holds mu.
func (n *names) set(id identity, handle uint) {
	n.slots[id], n.back[handle] = handle, id
}

// keep makes the handles invalid that objects of key slots had which are not in the
// catalog any more.
func (n *names) keep(c *catalog) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, handle := range n.slots {
		if id.record == 0 && c.handles[handle] == nil {
			n.drop(id)
		}
	}
}

// giveUp makes the handles of records invalid.
func (n *names) giveUp(records []int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range records {
		n.drop(identity{record: id})
	}
}

// newLogin makes the handles of private objects invalid.
func (n *names) newLogin(era uint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.eras.private = era
	for id := range n.slots {
		if id.private {
			n.drop(id)
		}
	}
}

// drop takes away the handle of an identity, if it has one. The caller holds mu.
func (n *names) drop(id identity) {
	if handle, known := n.slots[id]; known {
		delete(n.slots, id)
		delete(n.back, handle)
	}
}

// record returns the number of the record that a handle names.
func (n *names) record(handle uint) (id int64, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if other, named := n.back[handle]; named {
		return other.record, other.record > 0
	}
	if handle&namesTokenObject == 0 || handle&namesRecord == 0 {
		return 0, false
	}
	id = int64(handle & (1<<recordBits - 1))
	return id, id > 0 && handle == n.ofRecord(id, handle&namesPrivate != 0)
}

// ofRecord is the handle that a stored object has unless it keeps another. The caller
// holds mu.
func (n *names) ofRecord(id int64, private bool) uint {
	h := namesTokenObject | namesRecord | n.eras.of(private)&(1<<eraBits-1)<<recordBits | uint(id)&(1<<recordBits-1)
	if private {
		h |= namesPrivate
	}
	return h
}

// recordHandle returns the handle of a stored object.
func (t *token) recordHandle(id int64, private bool) uint {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	name := identity{record: id}
	if h, known := n.slots[name]; known {
		return h
	}
	if uint64(id) < 1<<recordBits {
		return n.ofRecord(id, private)
	}
	h := t.slot.provider.newHandle() | namesTokenObject // only where a CK_ULONG has 32 bits
	n.set(name, h)
	t.leaveName(name, h)
	return h
}

// slotHandle returns the handle of an object of a key slot, or of another that the store
// does not know.
func (t *token) slotHandle(o *object) uint {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, known := n.slots[o.id]; known {
		return h
	}
	era := n.eras.of(o.private())
	for try := uint(0); ; try++ {
		h := hashedHandle(t.slot.id, era, o, try)
		if _, taken := n.back[h]; taken {
			continue
		}
		n.set(o.id, h)
		if try > 0 {
			t.leaveName(o.id, h) // only of the very few that are not the first try a child has to be told
		}
		return h
	}
}

// hashedHandle is the n-th handle by which an object of a key slot can be named.
func hashedHandle(slot, era uint, o *object, n uint) uint {
	b := make([]byte, 0, 128)
	for _, x := range [...]uint64{uint64(slot), uint64(era), uint64(n)} {
		b = binary.BigEndian.AppendUint64(b, x)
	}
	sum := sha256.Sum256(append(b, o.attrs[CKA_UNIQUE_ID]...))
	return uint(binary.BigEndian.Uint64(sum[:]))&(namesRecord-1) | namesTokenObject
}

// keepHandle makes a stored object keep the handle of an object of a key slot that it was.
func (t *token) keepHandle(from identity, to int64) {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	h, known := n.slots[from]
	if !known {
		return
	}
	delete(n.slots, from)
	n.set(identity{record: to}, h)
	t.leaveName(identity{record: to}, h)
}
