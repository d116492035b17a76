// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"slices"
	"sync"
)

// Programs that list tokens open a session with each, such as p11tool, and close it again. A
// read-only session with a token that is not made yet is promised: it has a handle and nothing
// behind it. Whatever is asked of it makes the token, and then it is a session.

// promises are the sessions that are promised, by their handles.
type promises struct {
	mu sync.Mutex // held for a moment, also while the lock of a slot is
	of map[uint]promise
}

type promise struct {
	slot  *slot
	piece Piece // for children
}

// promiseSession reports whether a session of these flags can be promised, and is.
func (p *Provider) promiseSession(slot, flags uint) (handle uint, promised bool) {
	if p.enter() != nil {
		return 0, false
	}
	defer p.leave()
	s, err := p.slot(slot)
	if err != nil || flags != CKF_SERIAL_SESSION || !s.isUnmade() {
		return 0, false
	}
	s.mu.Lock() // so that nobody makes the token meanwhile
	defer s.mu.Unlock()
	if s.life.stage != absent {
		return 0, false
	}
	return p.promises.add(p, s)
}

// add promises a session, and reports whether it did: not when there are as many as a token has sessions.
func (x *promises) add(p *Provider, s *slot) (handle uint, added bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.of) >= maxSessions {
		return 0, false
	}
	h := p.newHandle()
	x.put(h, promise{s, p.leavePiece(0, sessionContent(s.id, h, CKF_SERIAL_SESSION))})
	return h, true
}

// inheritPromises promises what the parent had promised: the sessions with a token of which it has
// left nothing, for there was none yet.
func (s *slot) inheritPromises() {
	left := s.inheritance
	if left == nil || left.token != 0 {
		return
	}
	left.sessions = slices.DeleteFunc(left.sessions, s.inheritPromise)
}

// inheritPromise reports whether a session of the parent was promised, and is.
func (s *slot) inheritPromise(left inheritedSession) bool {
	if left.flags != CKF_SERIAL_SESSION {
		return false
	}
	p := s.provider
	delete(p.inherited, left.handle)
	p.promises.put(left.handle, promise{s, left.piece})
	return true
}

// put is called under the lock, or before anybody else knows of the promises.
func (x *promises) put(h uint, made promise) {
	if x.of == nil {
		x.of = map[uint]promise{}
	}
	x.of[h] = made
}

// find returns the slot of a promised session, and reports whether there is one.
func (x *promises) find(h uint) (*slot, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	made, is := x.of[h]
	return made.slot, is
}

// breakPromise closes a session that is promised. It reports whether it was.
func (p *Provider) breakPromise(h uint) bool {
	if p.enter() != nil {
		return false
	}
	defer p.leave()
	if _, err := p.sessions.get(h); err == nil { // which takes no lock, and nearly all are
		return false
	}
	return p.dropPromise(h)
}

func (p *Provider) dropPromise(h uint) bool {
	p.promises.mu.Lock()
	defer p.promises.mu.Unlock()
	made, is := p.promises.of[h]
	delete(p.promises.of, h)
	p.revoke(made.piece)
	return is
}

// breakPromises closes the sessions that are promised with the token in a slot. It reports
// whether that is not made yet.
func (p *Provider) breakPromises(id uint) (unmade bool) {
	if p.enter() != nil {
		return false
	}
	defer p.leave()
	s, err := p.slot(id)
	if err != nil {
		return false
	}
	p.dropPromises(s) // also when somebody else has made the token, and it does not open
	return s.isUnmade()
}

func (p *Provider) dropPromises(s *slot) {
	for _, h := range p.promises.ofSlot(s) {
		p.dropPromise(h)
	}
}

func (x *promises) ofSlot(s *slot) (handles []uint) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for h, made := range x.of {
		if made.slot == s {
			handles = append(handles, h)
		}
	}
	return handles
}

// keepPromises makes sessions with a new token of those that were promised. The slot's lock is
// held, and nobody else knows the token yet.
func (t *token) keepPromises() {
	p := t.slot.provider
	for _, h := range p.promises.ofSlot(t.slot) {
		p.promises.keep(h, newSession(t, CKF_SERIAL_SESSION))
	}
}

// keep has a promised session be one. Nobody finds neither in between.
func (x *promises) keep(h uint, s *session) {
	x.mu.Lock()
	defer x.mu.Unlock()
	made, is := x.of[h]
	if !is { // it has just been closed
		return
	}
	s.handle = h
	s.piece.Store(uintptr(made.piece))
	s.token.sessions.add(s, 1)
	s.token.slot.provider.sessions.Store(h, s)
	delete(x.of, h)
}

// promisedInfo describes a session, and reports whether it is promised.
func (p *Provider) promisedInfo(h uint) (SessionInfo, bool) {
	if _, err := p.sessions.get(h); err == nil { // as in breakPromise
		return SessionInfo{}, false
	}
	s, is := p.promises.find(h)
	if !is {
		return SessionInfo{}, false
	}
	return SessionInfo{Slot: s.id, State: CKS_RO_PUBLIC_SESSION, Flags: CKF_SERIAL_SESSION}, true
}
