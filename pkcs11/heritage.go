// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"encoding/binary"

	"libzk_pkcs11/internal/scm"
)

// heritage is what a process has from the one that forked it with the token in a slot. It
// waits until the slot's device is opened.
type heritage struct {
	left     Piece   // of the token
	stale    []Piece // of one that was in the slot before
	eras     eras
	user     uint
	secret   []byte // of the token, in the estate's memory; empty when nobody is logged in
	sessions []heir
	objects  []heirloom
	names    []name
}

// heir is a session that goes on in a child.
type heir struct {
	left   Piece
	handle uint
	rw     bool
}

// heirloom is a session object that does.
type heirloom struct {
	left          Piece
	owner, handle uint
	attrs         attributes
	key           *scm.Key
	private       []byte // in the estate's memory
}

// name is a handle that does not follow from what it names.
type name struct {
	named
	id identity
}

// inherit reads what the parent has left.
func (p *Provider) inherit() {
	p.inherited = map[uint]uint{}
	for left, b := range p.options.Estate.Pieces() {
		r := &contentReader{rest: b}
		kind, slot := r.number(), r.number()
		if slot >= uint(len(p.slots)) {
			continue // the child has fewer slots
		}
		h := p.slots[slot].heritage
		if h == nil {
			h = &heritage{user: nobody}
			p.slots[slot].heritage = h
		}
		h.read(kind, left, r)
		if kind == sessionPiece {
			p.inherited[h.sessions[len(h.sessions)-1].handle] = slot
		}
	}
}

func (h *heritage) read(kind uint, left Piece, r *contentReader) {
	switch kind {
	case tokenPiece:
		now := eras{public: r.number(), private: r.number()}
		if now.public < h.eras.public {
			h.stale = append(h.stale, left) // of a token that was gone, and had not been closed yet
			return
		}
		if h.left != 0 {
			h.stale = append(h.stale, h.left)
		}
		h.left, h.eras = left, now
		h.user, h.secret = r.number(), r.bytes()
	case sessionPiece:
		h.sessions = append(h.sessions, heir{left: left, handle: r.number(), rw: r.number() != 0})
	case objectPiece:
		o := heirloom{left: left, owner: r.number(), handle: r.number(), attrs: r.attributes()}
		if len(r.rest) > 0 {
			o.key = &scm.Key{Slot: scm.Slot(r.number()), Curve: scm.Curve(r.number()), Public: bytes.Clone(r.bytes())}
			o.private = r.bytes()
		}
		h.objects = append(h.objects, o)
	case namePiece:
		n := name{named: named{left: left, handle: r.number()}}
		n.id = identity{record: int64(int(r.number())), slot: scm.Slot(r.number())}
		flags := r.number()
		n.id.private, n.private, n.id.public = flags&1 != 0, flags&2 != 0, string(r.bytes())
		h.names = append(h.names, n)
	}
}

// findSession returns the session of a handle. One that comes from the parent opens its
// slot's device.
func (p *Provider) findSession(h uint) (*session, error) {
	s, err := p.sessions.get(h)
	if err == nil {
		return s, nil
	}
	slot, inherited := p.inherited[h]
	if !inherited {
		return nil, err
	}
	if _, problem := p.slots[slot].token(); problem != nil {
		return nil, err
	}
	return p.sessions.get(h)
}

// takeOver makes a new token go on as the parent's was when it forked. Nobody else knows
// the token yet.
func (t *token) takeOver(h *heritage) {
	for _, p := range h.stale { // with the secret of a token that is gone
		t.slot.provider.revoke(p)
	}
	if h.left != 0 {
		t.left, t.names.eras = h.left, h.eras
	}
	for _, n := range h.names {
		t.names.set(n.id, n.named)
	}
	t.takeOverLogin(h)
	sessions := make(map[uint]*session, len(h.sessions))
	for _, x := range h.sessions {
		s := newSession(t, x.rw)
		s.handle = x.handle
		s.left.Store(uintptr(x.left))
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

// takeOverLogin logs in who was, by the secret that the login opened. It needs no PIN,
// and is as good as the secret is: another process may have initialised the token.
func (t *token) takeOverLogin(h *heritage) {
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
	t.leave(nil)
}

// openWith opens the store and the device with the token's secret.
func (t *token) openWith(secret []byte) error {
	if err := t.store.Unlock(secret); err != nil {
		return err
	}
	if err := t.unseal(secret); err != nil {
		t.store.Logout()
		return err
	}
	return nil
}

// takeOverObject makes a session object of the parent one of this process.
func (t *token) takeOverObject(x heirloom, owner *session) {
	o := &object{handle: x.handle, owner: owner, attrs: x.attrs, key: x.key, held: unconfirmed(), left: x.left}
	if o.key != nil {
		o.id = slotIdentity(*o.key, o.class() == CKO_PRIVATE_KEY)
	}
	if owner == nil || o.private() && t.user() != CKU_USER || !o.complete() {
		t.slot.provider.revoke(x.left)
		return
	}
	if device, can := t.device.(scm.Heritable); can && len(x.private) > 0 {
		t.warnOn("taking a session key over", device.AdoptVolatile(*o.key, x.private))
	}
	t.conceal(o)
	t.mine.add(o)
}

// contentReader reads what a content was made of. What is not there is 0 or empty.
type contentReader struct{ rest []byte }

func (r *contentReader) number() uint {
	if len(r.rest) < 8 {
		r.rest = nil
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return uint(n)
}

// bytes returns a part of what is read, no copy.
func (r *contentReader) bytes() []byte {
	n := r.number()
	if n > uint(len(r.rest)) {
		r.rest = nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *contentReader) attributes() attributes {
	a := attributes{}
	for n := r.number(); n > 0 && len(r.rest) > 0; n-- {
		t := r.number()
		a[t] = bytes.Clone(r.bytes())
		if a[t] == nil {
			a[t] = empty
		}
	}
	return a
}
