// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"sync/atomic"

	"libzk_pkcs11/internal/turn"
)

// maxSessions is how many sessions a token has room for. A session costs some
// hundred bytes of the process, nothing in the device.
const maxSessions = 65536

// session is a caller's session with a token. Its state (public, user, SO) is
// not stored: it follows from the token's login and from rw.
type session struct {
	handle uint
	token  *token
	rw     bool
	piece  pieceNumber

	objects map[uint]*object // of the session, under the lock of the token's; nil before the first

	mu     turn.Mutex
	closed bool
	login  atomic.Uint64 // of the token, when the session was last left
	find   operation[search]
	digest operation[digester]
	sign   operation[signing]
	derive *derivation // that waits for a login
	begun  uint        // uses of keys
	verify operation[verifying]

	signRecover      operation[signing]
	verifyRecover    operation[recovering]
	verifySignature  operation[verifyingKnown]
	encrypt, decrypt operation[ciphering]
	messages         messageOperations
}

// newSession makes a session as the flags of C_OpenSession say.
func newSession(t *token, flags uint) *session {
	s := &session{token: t, rw: flags&CKF_RW_SESSION != 0}
	s.login.Store(t.logins.Load())
	s.mu.Pause = t.slot.provider.options.Pause
	return s
}

// SessionInfo is a CK_SESSION_INFO.
type SessionInfo struct {
	Slot, State, Flags, DeviceError uint
}

// sessionTable holds the open sessions of all tokens. Looking one up takes no
// lock.
type sessionTable struct {
	sync.Map // uint to *session
}

func (t *sessionTable) get(h uint) (*session, error) {
	if s, ok := t.Load(h); ok {
		return s.(*session), nil
	}
	return nil, CKR_SESSION_HANDLE_INVALID
}

// sessionCount counts a token's sessions.
type sessionCount struct {
	all, rw atomic.Int64
}

func (c *sessionCount) add(s *session, n int64) int64 {
	if s.rw {
		c.rw.Add(n)
	}
	return c.all.Add(n)
}

// OpenSession opens a session with the token in a slot (section 5.6.1).
//
// Deviates: a R/W session is opened with a write-protected token, too. OpenSSH
// and libp11 open no other kind and only want to sign; what writes is refused.
func (p *Provider) OpenSession(slot, flags uint) (handle uint, err error) {
	if h, promised := p.promiseSession(slot, flags); promised {
		return h, nil
	}
	t, err := p.awaitedToken(slot)
	if err != nil {
		return 0, err
	}
	defer t.done(&err)
	if err := t.checkKeys(); err != nil {
		return 0, err // no session with a device that has destroyed its keys
	}
	s := newSession(t, flags)
	if flags&CKF_SERIAL_SESSION == 0 {
		return 0, CKR_SESSION_PARALLEL_NOT_SUPPORTED
	}
	if flags&CKF_ASYNC_SESSION != 0 {
		return 0, CKR_SESSION_ASYNC_NOT_SUPPORTED
	}
	t.login.Lock()
	defer t.login.Unlock()
	if !s.rw && t.user() == CKU_SO {
		return 0, CKR_SESSION_READ_WRITE_SO_EXISTS
	}
	if t.sessions.add(s, 1) > maxSessions {
		t.sessions.add(s, -1)
		return 0, CKR_SESSION_COUNT
	}
	s.handle = p.newHandle()
	p.sessions.Store(s.handle, s)
	s.leaveSession()
	return s.handle, nil
}

// CloseSession closes a session and destroys its session objects (section
// 5.6.2). The token is logged out when it was the last one. A device that fails does
// not keep it open: hosts look at no error here.
func (p *Provider) CloseSession(h uint) error {
	if p.breakPromise(h) {
		return nil
	}
	s, err := p.lockSession(h)
	if err != nil {
		return err
	}
	defer s.unlock()
	s.token.login.Lock()
	defer s.token.login.Unlock()
	p.dropSession(s)
	return nil
}

// CloseAllSessions closes all sessions with the token in a slot (section
// 5.6.3).
func (p *Provider) CloseAllSessions(slot uint) (err error) {
	if p.breakPromises(slot) {
		return nil
	}
	t, err := p.token(slot)
	if err != nil {
		return err
	}
	defer t.done(&err)
	for _, s := range p.sessionsOf(t) {
		s.mu.Lock()
		t.login.Lock()
		p.dropSession(s)
		t.login.Unlock()
		s.mu.Unlock()
	}
	return nil
}

// sessionsOf lists the open sessions with a token.
func (p *Provider) sessionsOf(t *token) []*session {
	var list []*session
	for _, v := range p.sessions.Range {
		if s := v.(*session); s.token == t {
			list = append(list, s)
		}
	}
	return list
}

// dropSession ends a session, whose lock and whose token's login lock are held.
func (p *Provider) dropSession(s *session) {
	if s.closed {
		return
	}
	s.closed = true
	p.forget(s)
	s.token.dropSessionObjects(s)
	if s.token.sessions.add(s, -1) == 0 {
		s.token.logout()
	}
}

// GetSessionInfo describes a session (section 5.6.4). It does not wait for
// what the session is busy with.
func (p *Provider) GetSessionInfo(h uint) (SessionInfo, error) {
	if err := p.enter(); err != nil {
		return SessionInfo{}, err
	}
	defer p.leave()
	if info, promised := p.promisedInfo(h); promised {
		return info, nil
	}
	s, err := p.findSession(h)
	if err != nil {
		return SessionInfo{}, err
	}
	if !s.token.acquire() {
		return SessionInfo{}, CKR_SESSION_HANDLE_INVALID
	}
	defer s.token.release()
	if s.token.isOutdated() {
		s.token.logoutOutdated()
	}
	return SessionInfo{Slot: s.token.slot.id, State: s.state(), Flags: s.flags()}, nil
}

// flags are those of a CK_SESSION_INFO.
func (s *session) flags() uint {
	if s.rw {
		return CKF_SERIAL_SESSION | CKF_RW_SESSION
	}
	return CKF_SERIAL_SESSION
}

// state derives the session's state from the token's login (section 5.6).
func (s *session) state() uint {
	switch user := s.token.user(); {
	case user == CKU_SO:
		return CKS_RW_SO_FUNCTIONS
	case user == CKU_USER && s.rw:
		return CKS_RW_USER_FUNCTIONS
	case user == CKU_USER:
		return CKS_RO_USER_FUNCTIONS
	case s.rw:
		return CKS_RW_PUBLIC_SESSION
	}
	return CKS_RO_PUBLIC_SESSION
}

// GetSessionValidationFlags reports whether the last operation of a session met the rules of
// a validation (section 5.6.11). None does: nobody has validated the module.
func (p *Provider) GetSessionValidationFlags(h, kind uint) (flags uint, err error) {
	s, err := p.session(h)
	if err != nil {
		return 0, err
	}
	defer s.done(&err)
	if kind != CKS_LAST_VALIDATION_OK {
		return 0, CKR_ARGUMENTS_BAD
	}
	return 0, nil
}

// SessionCancel ends the operations that the flags name (section 5.6.5).
// Flags of operations that are not active, or never can be here, do nothing.
func (p *Provider) SessionCancel(h, flags uint) (err error) {
	s, err := p.session(h)
	if err != nil {
		return err
	}
	defer s.done(&err)
	s.cancel(flags)
	return nil
}

// cancel ends operations: C_VerifySignatureInit's has the flag of C_VerifyInit's.
func (s *session) cancel(flags uint) {
	for _, o := range []struct {
		flag uint
		end  func()
	}{
		{CKF_FIND_OBJECTS, s.find.end},
		{CKF_DIGEST, s.digest.end},
		{CKF_SIGN, s.sign.end},
		{CKF_SIGN_RECOVER, s.signRecover.end},
		{CKF_VERIFY, s.verify.end},
		{CKF_VERIFY, s.verifySignature.end},
		{CKF_VERIFY_RECOVER, s.verifyRecover.end},
		{CKF_ENCRYPT, s.encrypt.end},
		{CKF_DECRYPT, s.decrypt.end},
	} {
		if flags&o.flag != 0 {
			o.end()
		}
	}
	s.messages.cancel(flags)
}
