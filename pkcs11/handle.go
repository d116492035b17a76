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
	mu     sync.Mutex
	eras   eras
	slots  map[identity]named // of objects of key slots, and of the few stored ones that keep another
	back   map[uint]identity
	revoke func(Piece)
}

// named is a handle.
type named struct {
	handle  uint
	private bool  // of a private object
	left    Piece // by which children are told, where it does not follow from what it names
}

func newNames(e eras, revoke func(Piece)) names {
	return names{eras: e, slots: map[identity]named{}, back: map[uint]identity{}, revoke: revoke}
}

// now returns the eras.
func (n *names) now() eras {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.eras
}

// set gives an identity a handle. The caller holds mu.
func (n *names) set(id identity, x named) {
	n.drop(id)
	n.slots[id], n.back[x.handle] = x, id
}

// keep makes the handles invalid that objects of key slots had which are not in the
// catalog any more.
func (n *names) keep(c *catalog) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, x := range n.slots {
		if id.record == 0 && c.handles[x.handle] == nil {
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
	for id, x := range n.slots {
		if x.private {
			n.drop(id)
		}
	}
}

// drop takes away the handle of an identity, if it has one. The caller holds mu.
func (n *names) drop(id identity) {
	if x, known := n.slots[id]; known {
		delete(n.slots, id)
		delete(n.back, x.handle)
		n.revoke(x.left)
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
	if x, known := n.slots[name]; known {
		return x.handle
	}
	if uint64(id) < 1<<recordBits {
		return n.ofRecord(id, private)
	}
	h := t.slot.provider.newHandle() | namesTokenObject // only where a CK_ULONG has 32 bits
	n.set(name, t.leftName(name, h, private))
	return h
}

// slotHandle returns the handle of an object of a key slot, or of another that the store
// does not know.
func (t *token) slotHandle(o *object) uint {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	if x, known := n.slots[o.id]; known {
		return x.handle
	}
	era := n.eras.of(o.private())
	for try := uint(0); ; try++ {
		h := hashedHandle(t.slot.id, era, o, try)
		if _, taken := n.back[h]; taken {
			continue
		}
		x := named{handle: h, private: o.private()}
		if try > 0 { // only of the very few that are not the first try a child has to be told
			x = t.leftName(o.id, h, x.private)
		}
		n.set(o.id, x)
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

// moveHandle gives the handle of an object to what it becomes. Between a key slot and the
// store that is done before the commit: whoever sees what is new then finds the handle.
func (t *token) moveHandle(o *object, from, to identity) {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop(from)
	n.set(to, t.leftName(to, o.handle, o.private()))
}
