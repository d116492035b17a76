// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/binary"
	"iter"
	"sync/atomic"

	"libzk_pkcs11/internal/scm"
)

// Estate is memory in which a process leaves what its forked children take over: sessions,
// logins and session objects (docs/adr/0022). It consists of pieces, each of which is there
// as a whole or not at all whenever a fork comes. Its methods may be called from any
// goroutine. What it gets holds secrets, and is not kept anywhere else.
type Estate interface {
	// Leave leaves a copy of content, in place of an earlier piece unless that is 0.
	Leave(instead Piece, content []byte) Piece
	// Revoke takes a piece back, and overwrites it.
	Revoke(Piece)
	// Pieces are those that were left, in any order. Their content stays until they are
	// replaced or revoked.
	Pieces() iter.Seq2[Piece, []byte]
}

// Piece names a piece of an [Estate]; 0 names none.
type Piece uintptr

// The kinds of pieces, of which each begins with its kind and the number of its slot.
const (
	tokenPiece uint = iota + 1
	sessionPiece
	objectPiece
	namePiece
)

// content is what a piece holds: numbers of eight bytes, and bytes after their length.
type content []byte

func newContent(kind, slot uint, room int) content {
	return make(content, 0, 256+room).number(kind).number(slot)
}

func (c content) number(n uint) content { return binary.BigEndian.AppendUint64(c, uint64(n)) }

func (c content) bytes(b []byte) content { return append(c.number(uint(len(b))), b...) }

// attributes stand after their number.
func (c content) attributes(a attributes) content {
	c = c.number(uint(len(a)))
	for t, v := range a {
		c = c.number(t).bytes(v)
	}
	return c
}

// size is how many bytes attributes take.
func (a attributes) size() int {
	n := 0
	for _, v := range a {
		n += 16 + len(v)
	}
	return n
}

// bequeath leaves a piece, if the process leaves any, and overwrites c.
func (p *Provider) bequeath(instead Piece, c content) Piece {
	defer clear(c)
	if p.options.Estate == nil {
		return 0
	}
	return p.options.Estate.Leave(instead, c)
}

func (p *Provider) revoke(left Piece) {
	if left != 0 {
		p.options.Estate.Revoke(left)
	}
}

// leaves tells whether the process leaves anything to its children.
func (t *token) leaves() bool { return t.slot.provider.options.Estate != nil }

// leave leaves who is logged in, with the token's secret that the login opened. The
// caller holds login.
func (t *token) leave(secret []byte) {
	if !t.leaves() {
		return
	}
	c := newContent(tokenPiece, t.slot.id, len(secret))
	now := t.names.now()
	c = c.number(now.public).number(now.private).number(t.user()).bytes(secret)
	t.left = t.slot.provider.bequeath(t.left, c)
}

// leave leaves a session.
func (s *session) leave() {
	rw := uint(0)
	if s.rw {
		rw = 1
	}
	c := newContent(sessionPiece, s.token.slot.id, 0).number(s.handle).number(rw)
	s.left.Store(uintptr(s.token.slot.provider.bequeath(0, c)))
}

// forget makes the handle of a session invalid, in children too.
func (p *Provider) forget(s *session) {
	p.sessions.Delete(s.handle)
	p.revoke(Piece(s.left.Swap(0)))
}

// left is the piece of a session.
type left = atomic.Uintptr

// leaveObject leaves a session object, with the private key that it stands for. The
// caller holds the lock of the session objects.
func (t *token) leaveObject(o *object) {
	if !t.leaves() {
		return
	}
	private := t.volatileSecret(o)
	defer clear(private)
	c := newContent(objectPiece, t.slot.id, o.attrs.size()).number(o.owner.handle).number(o.handle)
	c = c.attributes(o.attrs)
	if o.key != nil {
		c = c.number(uint(o.key.Slot)).number(uint(o.key.Curve)).bytes(o.key.Public).bytes(private)
	}
	o.left = t.slot.provider.bequeath(o.left, c)
}

// volatileSecret is the private key in volatile memory behind a private key object.
func (t *token) volatileSecret(o *object) []byte {
	device, can := t.device.(scm.Heritable)
	if !can || o.key == nil || o.class() != CKO_PRIVATE_KEY {
		return nil
	}
	b, err := device.VolatileSecret(o.key.Slot)
	t.warnOn("leaving a session key to children", err)
	return b
}

// leftName leaves the handle of a token object that does not follow from what it names.
// The caller holds the lock of the names.
func (t *token) leftName(id identity, handle uint, private bool) named {
	x := named{handle: handle, private: private}
	if !t.leaves() {
		return x
	}
	flags := uint(0)
	if id.private {
		flags |= 1
	}
	if private {
		flags |= 2
	}
	c := newContent(namePiece, t.slot.id, len(id.public)).number(handle)
	c = c.number(uint(id.record)).number(uint(id.slot)).number(flags).bytes([]byte(id.public))
	x.left = t.slot.provider.bequeath(0, c)
	return x
}

// withdraw takes back what a token that ends has left.
func (t *token) withdraw() {
	p := t.slot.provider
	t.mine.mu.Lock()
	defer t.mine.mu.Unlock()
	for _, o := range t.mine.table.all {
		p.revoke(o.left)
		o.left = 0
	}
	t.names.mu.Lock()
	defer t.names.mu.Unlock()
	for id := range t.names.slots {
		t.names.drop(id)
	}
	p.revoke(t.left)
	t.left = 0
}
