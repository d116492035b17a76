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

// ofObject returns the era of public or of private objects.
func (e eras) ofObject(o *object) uint {
	if o.private() {
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
	piece   Piece // by which children are told, where it does not follow from what it names
}

func newNames(e eras, revoke func(Piece)) names {
	return names{eras: e, slots: map[identity]named{}, back: map[uint]identity{}, revoke: revoke}
}

// currentEras returns the eras.
func (n *names) currentEras() eras {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.eras
}

// assign gives an identity a handle. The caller holds mu.
func (n *names) assign(id identity, x named) {
	n.dropHandle(id)
	n.slots[id], n.back[x.handle] = x, id
}

// dropMissing makes the handles invalid that objects of key slots had which are not in the
// catalog any more.
func (n *names) dropMissing(c *catalog) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, x := range n.slots {
		if id.record == 0 && c.handles[x.handle] == nil {
			n.dropHandle(id)
		}
	}
}

// giveUp makes the handles of records invalid.
func (n *names) giveUp(records []int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range records {
		n.dropHandle(identity{record: id})
	}
}

// newLogin makes the handles of private objects invalid.
func (n *names) newLogin(era uint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.eras.private = era
	for id, x := range n.slots {
		if x.private {
			n.dropHandle(id)
		}
	}
}

// dropHandle takes away the handle of an identity, if it has one. The caller holds mu.
func (n *names) dropHandle(id identity) {
	if x, known := n.slots[id]; known {
		delete(n.slots, id)
		delete(n.back, x.handle)
		n.revoke(x.piece)
	}
}

// record returns the number of the record that a handle names, and reports whether it names one.
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
	return id, id > 0 && handle == n.ofRecord(id, handle&namesPrivate)
}

// ofRecord is the handle that a stored object has unless it keeps another. For a private
// object mark is namesPrivate, for others 0. The caller holds mu.
func (n *names) ofRecord(id int64, mark uint) uint {
	era := n.eras.public
	if mark != 0 {
		era = n.eras.private
	}
	return namesTokenObject | namesRecord | mark | era&(1<<eraBits-1)<<recordBits | uint(id)&(1<<recordBits-1)
}

// recordHandle returns the handle of a stored object, which has the record of number id.
func (t *token) recordHandle(id int64, o *object) uint {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	name := identity{record: id}
	if x, known := n.slots[name]; known {
		return x.handle
	}
	if uint64(id) < 1<<recordBits {
		mark := uint(0)
		if o.private() {
			mark = namesPrivate
		}
		return n.ofRecord(id, mark)
	}
	h := t.slot.provider.newHandle() | namesTokenObject // only where a CK_ULONG has 32 bits
	n.assign(name, t.leftName(name, h, o))
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
	era := n.eras.ofObject(o)
	for try := uint(0); ; try++ {
		h := hashedHandle(t.slot.id, era, o, try)
		if _, taken := n.back[h]; taken {
			continue
		}
		x := named{handle: h, private: o.private()}
		if try > 0 { // only of the very few that are not the first try a child has to be told
			x = t.leftName(o.id, h, o)
		}
		n.assign(o.id, x)
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
// store that is done before the commit: a caller that sees what is new then finds the handle.
func (t *token) moveHandle(o *object, from, to identity) {
	n := &t.names
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dropHandle(from)
	n.assign(to, t.leftName(to, o.handle, o))
}
