// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "libzk_pkcs11/internal/secret"

// A call enters what it works on and defers done, which leaves it again and turns the
// error into the code for the caller. What is entered in part when a panic comes is left
// by deferred functions here.

// enter begins a call; leave ends it.
func (p *Provider) enter() error {
	p.calls.RLock()
	if p.closed {
		p.calls.RUnlock()
		return CKR_CRYPTOKI_NOT_INITIALIZED
	}
	return nil
}

func (p *Provider) leave() { p.calls.RUnlock() }

func (p *Provider) leaveUnless(entered *bool) {
	if !*entered {
		p.leave()
	}
}

// session enters the session of handle h, whose token is asked whether it is still there.
func (p *Provider) session(h uint) (*session, error) {
	s, err := p.lockSession(h)
	if err != nil {
		return nil, err
	}
	entered := false
	defer s.unlockUnless(&entered)
	err = s.token.checkAndNotice()
	entered = err == nil
	return s, err
}

// sessionForOperation is session for the functions of signatures. The token is not asked:
// a device that is gone says so itself.
func (p *Provider) sessionForOperation(h uint) (*session, error) {
	s, err := p.lockSession(h)
	if err != nil {
		return nil, err
	}
	if s.token.isOutdated() {
		s.logoutOutdated()
	}
	return s, nil
}

// logoutOutdated leaves the session only when a panic comes.
func (s *session) logoutOutdated() {
	done := false
	defer s.unlockUnless(&done)
	s.token.logoutOutdated()
	done = true
}

// done ends a call with a session, whose error becomes the code for the caller.
func (s *session) done(err *error) {
	defer s.unlock()
	*err = s.token.handleError(*err)
}

// lockSession is session for what has to work whatever the device does; unlock ends it.
func (p *Provider) lockSession(h uint) (*session, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	s, err := p.sessions.get(h)
	if err != nil {
		s, err = p.enterInherited(h)
	}
	if err != nil {
		p.leave()
		return nil, err
	}
	s.mu.Lock()
	if s.closed || !s.token.acquire() {
		s.mu.Unlock()
		p.leave()
		return nil, CKR_SESSION_HANDLE_INVALID
	}
	return s, nil
}

// enterInherited leaves the call only when a panic comes.
func (p *Provider) enterInherited(h uint) (*session, error) {
	done := false
	defer p.leaveUnless(&done)
	s, err := p.findSession(h)
	done = true
	return s, err
}

func (s *session) unlock() {
	if s.endIfLoggedOut() {
		secret.CollectKeys() // the key of an operation
	}
	s.token.release()
	s.mu.Unlock()
	s.endIfIdle() // somebody logged out just then
	s.token.slot.provider.leave()
}

func (s *session) unlockUnless(entered *bool) {
	if !*entered {
		s.unlock()
	}
}

// token enters the token in the slot of number id.
func (p *Provider) token(id uint) (*token, error) { return p.tokenBy(id, (*slot).token) }

// awaitedToken is token for calls that can bear to wait for a device that is starting.
func (p *Provider) awaitedToken(id uint) (*token, error) { return p.tokenBy(id, (*slot).awaitToken) }

// describedToken is token for calls that describe the token in a slot, which is named: one that is damaged is an error.
func (p *Provider) describedToken(id uint) (*token, error) {
	return p.tokenBy(id, (*slot).describedToken)
}

// tokenBy is token with the way in which it is looked for.
func (p *Provider) tokenBy(id uint, find func(*slot) (*token, error)) (*token, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	entered := false
	defer p.leaveUnless(&entered)
	s, err := p.slot(id)
	if err != nil {
		return nil, err
	}
	t, err := find(s)
	if err != nil {
		return nil, err
	}
	err = t.enterToken()
	entered = err == nil
	return t, err
}

// done ends a call with a token, whose error becomes the code for the caller.
func (t *token) done(err *error) {
	defer t.slot.provider.leave()
	defer t.release()
	*err = t.handleError(*err)
}

// enterToken has a call begin with a token, which release ends.
func (t *token) enterToken() error {
	if !t.acquire() {
		return CKR_DEVICE_REMOVED
	}
	used := false
	defer t.releaseUnless(&used)
	err := t.checkAndNotice()
	used = err == nil
	return err
}

func (t *token) releaseUnless(used *bool) {
	if !*used {
		t.release()
	}
}

// checkAndNotice returns an error unless a token that is acquired is there, and logs a user out whose login is over.
func (t *token) checkAndNotice() error {
	if err := t.checkPresent(); err != nil {
		return t.handleError(err)
	}
	if t.isOutdated() {
		t.logoutOutdated()
	}
	return nil
}

// handleError looks after the token when a call has ended with err, and returns its code.
func (t *token) handleError(err error) error {
	if isGone(err) {
		t.endIfGone()
	}
	return t.outcome(err)
}
