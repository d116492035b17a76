// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"encoding/binary"

	"libzk_pkcs11/internal/scm"
)

// inheritance is what a process has from the one that forked it with the token in a slot. It
// waits until the slot's device is opened.
type inheritance struct {
	token    Piece   // of the token
	stale    []Piece // of one that was in the slot before
	eras     eras
	user     uint
	secret   []byte // of the token, in the estate's memory; empty when nobody is logged in
	sessions []inheritedSession
	objects  []inheritedObject
	names    []inheritedName
}

// inheritedSession is a session that goes on in a child.
type inheritedSession struct {
	piece  Piece
	handle uint
	flags  uint
}

// inheritedObject is a session object that does.
type inheritedObject struct {
	piece         Piece
	owner, handle uint
	attrs         attributes
	key           *scm.Key
	private       []byte // in the estate's memory
}

// inheritedName is a handle that does not follow from what it names.
type inheritedName struct {
	named
	id identity
}

// inherit reads what the parent has left.
func (p *Provider) inherit() {
	p.inherited = map[uint]uint{}
	for left, b := range p.options.Estate.Pieces() {
		r := &contentReader{rest: b}
		kind, slot := r.readNumber(), r.readNumber()
		if slot >= uint(len(p.slots)) {
			continue // the child has fewer slots
		}
		h := p.slots[slot].inheritance
		if h == nil {
			h = &inheritance{user: nobody}
			p.slots[slot].inheritance = h
		}
		h.readPiece(kind, left, r)
		if kind == sessionPiece {
			p.inherited[h.sessions[len(h.sessions)-1].handle] = slot
		}
	}
	for _, s := range p.slots {
		s.inheritPromises()
	}
}

func (h *inheritance) readPiece(kind uint, left Piece, r *contentReader) {
	switch kind {
	case tokenPiece:
		now := eras{public: r.readNumber(), private: r.readNumber()}
		if now.public < h.eras.public {
			h.stale = append(h.stale, left) // of a token that was gone, and had not been closed yet
			return
		}
		if h.token != 0 {
			h.stale = append(h.stale, h.token)
		}
		h.token, h.eras = left, now
		h.user, h.secret = r.readNumber(), r.readBytes()
	case sessionPiece:
		h.sessions = append(h.sessions, inheritedSession{piece: left, handle: r.readNumber(), flags: r.readNumber()})
	case objectPiece:
		o := inheritedObject{piece: left, owner: r.readNumber(), handle: r.readNumber(), attrs: r.readAttributes()}
		if len(r.rest) > 0 {
			o.key = &scm.Key{Slot: scm.Slot(r.readNumber()), Curve: scm.Curve(r.readNumber()), Public: bytes.Clone(r.readBytes())}
			o.private = r.readBytes()
		}
		h.objects = append(h.objects, o)
	case namePiece:
		n := inheritedName{named: named{piece: left, handle: r.readNumber()}}
		n.id = identity{record: int64(int(r.readNumber())), slot: scm.Slot(r.readNumber())}
		flags := r.readNumber()
		n.id.half, n.id.name = half(flags&1), int(flags>>2)
		n.private, n.id.public = flags&2 != 0, string(r.readBytes())
		h.names = append(h.names, n)
	}
}

// findSession returns the session of a handle. One that comes from the parent opens its
// slot's device, as one that was promised does, and the host's signals do not wait meanwhile.
func (p *Provider) findSession(h uint) (*session, error) {
	s, err := p.sessions.get(h)
	if err == nil {
		return s, nil
	}
	if s, promised := p.promises.find(h); promised {
		if p.aside(s.awaitOpening) != nil {
			return nil, CKR_DEVICE_REMOVED
		}
		return p.sessions.get(h)
	}
	if s, kept := p.sessions.get(h); kept == nil { // since it was looked for
		return s, nil
	}
	slot, inherited := p.inherited[h]
	if !inherited {
		return nil, err
	}
	if p.aside(p.slots[slot].open) != nil {
		return nil, err
	}
	return p.sessions.get(h)
}

// takeOver makes a new token go on as the parent's was when it forked. Nobody else knows
// the token yet.
func (t *token) takeOver(h *inheritance) {
	for _, p := range h.stale { // with the secret of a token that is gone
		t.slot.provider.revoke(p)
	}
	if h.token != 0 {
		t.piece, t.names.eras = h.token, h.eras
	}
	for _, n := range h.names {
		t.names.assign(n.id, n.named)
	}
	t.takeOverLogin(h)
	sessions := make(map[uint]*session, len(h.sessions))
	for _, x := range h.sessions {
		s := newSession(t, x.flags)
		s.handle = x.handle
		s.piece.Store(uintptr(x.piece))
		t.sessions.add(s, 1)
		sessions[x.handle] = s
	}
	for _, x := range h.objects {
		t.takeOverObject(x, sessions[x.owner])
	}
	for handle, s := range sessions {
		t.slot.provider.sessions.Store(handle, s)
	}
}

// takeOverLogin logs in the user who was, by the secret that the login opened. It needs no PIN,
// and is as good as the secret is: another process may have initialised the token.
func (t *token) takeOverLogin(h *inheritance) {
	if h.user == nobody {
		return
	}
	if len(h.sessions) > 0 { // else the parent was logging out with its last session
		err := t.openWith(h.secret)
		if err == nil {
			t.who.Store(uint64(h.user))
			return
		}
		t.slot.provider.log.Warningf("slot %d: the login of the parent process does not hold any more: %v", t.slot.id, err)
	}
	t.names.newLogin(t.slot.provider.newHandle())
	t.leaveLogin(nil)
}

// openWith opens the store and the device with the token's secret.
func (t *token) openWith(secret []byte) error {
	if err := t.store.Unlock(secret); err != nil {
		return err
	}
	err := t.unsealDevice(secret)
	if err == nil {
		err = t.openRoot()
	}
	if err != nil {
		t.store.Logout()
	}
	return err
}

// takeOverObject makes a session object of the parent one of this process.
func (t *token) takeOverObject(x inheritedObject, owner *session) {
	o := &object{handle: x.handle, owner: owner, attrs: x.attrs, piece: x.piece}
	if x.key != nil {
		o.place, o.id = placeOf(*x.key), slotIdentity(*x.key, publicHalf)
		if o.class() == CKO_PRIVATE_KEY {
			o.id.half = privateHalf
		}
	}
	if owner == nil || o.private() && t.user() != CKU_USER || !o.setRules() {
		t.slot.provider.revoke(x.piece)
		return
	}
	if device, can := t.device.(scm.Heritable); can && len(x.private) > 0 {
		t.warnIfFailed("taking a session key over", device.AdoptVolatile(*x.key, x.private))
	}
	t.conceal(o)
	t.mine.add(o)
}

// contentReader reads what a content was made of. What is not there is 0 or empty.
type contentReader struct{ rest []byte }

func (r *contentReader) readNumber() uint {
	if len(r.rest) < 8 {
		r.rest = nil
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return uint(n)
}

// readBytes returns a part of what is read, no copy.
func (r *contentReader) readBytes() []byte {
	n := r.readNumber()
	if n > uint(len(r.rest)) {
		r.rest = nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *contentReader) readAttributes() attributes {
	a := attributes{}
	for n := r.readNumber(); n > 0 && len(r.rest) > 0; n-- {
		t := r.readNumber()
		a[t] = bytes.Clone(r.readBytes())
		if a[t] == nil {
			a[t] = empty
		}
	}
	return a
}
