// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"encoding/binary"
	"iter"
	"sync/atomic"
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
	return make(content, 0, 256+room).appendNumber(kind).appendNumber(slot)
}

func (c content) appendNumber(n uint) content { return binary.BigEndian.AppendUint64(c, uint64(n)) }

func (c content) appendBytes(b []byte) content { return append(c.appendNumber(uint(len(b))), b...) }

// appendAttributes appends attributes after their number.
func (c content) appendAttributes(a attributes) content {
	c = c.appendNumber(uint(len(a)))
	for t, v := range a {
		c = c.appendNumber(t).appendBytes(v)
	}
	return c
}

// encodedSize is how many bytes attributes take.
func (a attributes) encodedSize() int {
	n := 0
	for _, v := range a {
		n += 16 + len(v)
	}
	return n
}

// leavePiece leaves a piece, if the process leaves any, and overwrites c.
func (p *Provider) leavePiece(instead Piece, c content) Piece {
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

// leavesPieces reports whether the process leaves anything to its children.
func (t *token) leavesPieces() bool { return t.slot.provider.options.Estate != nil }

// leaveLogin leaves who is logged in, with the token's secret that the login opened. The
// caller holds login.
func (t *token) leaveLogin(secret []byte) {
	if !t.leavesPieces() {
		return
	}
	c := newContent(tokenPiece, t.slot.id, len(secret))
	now := t.names.currentEras()
	c = c.appendNumber(now.public).appendNumber(now.private).appendNumber(t.user()).appendBytes(secret)
	t.piece = t.slot.provider.leavePiece(t.piece, c)
}

// leaveSession leaves a session.
func (s *session) leaveSession() {
	c := sessionContent(s.token.slot.id, s.handle, s.flags())
	s.piece.Store(uintptr(s.token.slot.provider.leavePiece(0, c)))
}

func sessionContent(slot, handle, flags uint) content {
	return newContent(sessionPiece, slot, 0).appendNumber(handle).appendNumber(flags)
}

// forget makes the handle of a session invalid, in children too.
func (p *Provider) forget(s *session) {
	p.sessions.Delete(s.handle)
	p.revoke(Piece(s.piece.Swap(0)))
}

// pieceNumber is the piece of a session.
type pieceNumber = atomic.Uintptr

// leaveObject leaves a session object, with the private key that it stands for. The
// caller holds the lock of the session objects.
func (t *token) leaveObject(o *object) {
	if !t.leavesPieces() {
		return
	}
	private := t.volatileSecret(o)
	defer clear(private)
	c := newContent(objectPiece, t.slot.id, o.attrs.encodedSize()).appendNumber(o.owner.handle).appendNumber(o.handle)
	c = c.appendAttributes(o.attrs)
	if k := o.deviceKey(); k != nil {
		c = c.appendNumber(uint(k.Slot)).appendNumber(uint(k.Curve)).appendBytes(k.Public).appendBytes(private)
	}
	o.piece = t.slot.provider.leavePiece(o.piece, c)
}

// volatileSecret is the private key in volatile memory behind a private key object.
func (t *token) volatileSecret(o *object) []byte {
	in, goes := o.place.(transient)
	if !goes || o.class() != CKO_PRIVATE_KEY {
		return nil
	}
	return in.secret(t)
}

// leftName leaves the handle of a token object that does not follow from what it names.
// The caller holds the lock of the names.
func (t *token) leftName(id identity, handle uint, o *object) named {
	x := named{handle: handle, private: o.private()}
	if !t.leavesPieces() {
		return x
	}
	flags := uint(id.half) | uint(id.name)<<2
	if x.private {
		flags |= 2
	}
	c := newContent(namePiece, t.slot.id, len(id.public)).appendNumber(handle)
	c = c.appendNumber(uint(id.record)).appendNumber(uint(id.slot)).appendNumber(flags).appendBytes([]byte(id.public))
	x.piece = t.slot.provider.leavePiece(0, c)
	return x
}

// withdraw takes back what a token that ends has left.
func (t *token) withdraw() {
	p := t.slot.provider
	t.mine.mu.Lock()
	defer t.mine.mu.Unlock()
	for _, o := range t.mine.table.all {
		p.revoke(o.piece)
		o.piece = 0
	}
	t.names.mu.Lock()
	defer t.names.mu.Unlock()
	for id := range t.names.slots {
		t.names.dropHandle(id)
	}
	p.revoke(t.piece)
	t.piece = 0
}
