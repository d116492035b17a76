// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"sync/atomic"
	"time"
)

// Provider answers the functions of PKCS#11. Make one with [New]; its methods
// may be called from any number of goroutines.
type Provider struct {
	options Options
	log     Logger
	slots   []*slot

	// calls is held for reading by every call and for writing by Close.
	calls  sync.RWMutex
	closed bool
	done   chan struct{} // closed by Close, ends C_WaitForSlotEvent

	sessions  sessionTable
	inherited map[uint]uint  // handles of the parent's sessions, and their slots
	handles   *atomic.Uint64 // the last handle given that was counted
}

// New returns a provider with the slots of the options. It opens nothing: a
// device and its store are opened by the first call that needs them.
func New(o Options) *Provider {
	p := &Provider{options: o, log: o.Log, handles: o.Handles, done: make(chan struct{})}
	if p.handles == nil {
		p.handles = new(atomic.Uint64)
	}
	if p.log == nil {
		p.log = quiet{}
	}
	if p.options.Pause == nil {
		p.options.Pause = time.Sleep
	}
	for i, so := range o.Slots {
		s := &slot{provider: p, id: uint(i), options: so}
		s.mu.Pause = p.options.Pause
		p.slots = append(p.slots, s)
	}
	if o.Estate != nil {
		p.inherit()
	}
	return p
}

// Close ends the provider: it waits for the calls that are running, closes all
// sessions and the devices. Every later call answers
// CKR_CRYPTOKI_NOT_INITIALIZED.
func (p *Provider) Close() {
	close(p.done)
	p.calls.Lock()
	defer p.calls.Unlock()
	p.closed = true
	for _, s := range p.slots {
		s.close()
	}
}

// enter starts a call; leave ends it.
func (p *Provider) enter() error {
	p.calls.RLock()
	if p.closed {
		p.calls.RUnlock()
		return CKR_CRYPTOKI_NOT_INITIALIZED
	}
	return nil
}

func (p *Provider) leave() { p.calls.RUnlock() }

// in runs f with the session of handle h, which is locked meanwhile, and looks after its
// token.
func (p *Provider) in(h uint, f func(*session) error) error {
	return p.hold(h, func(s *session) error {
		return s.token.run(func() error { return f(s) })
	})
}

// step is in for the functions of cryptographic operations. Nothing is asked before: a
// device that is gone says so itself.
func (p *Provider) step(h uint, f func(*session) error) error {
	return p.hold(h, func(s *session) error {
		s.token.notice()
		return s.token.after(f(s))
	})
}

// hold is in for what has to work whatever the device does.
func (p *Provider) hold(h uint, f func(*session) error) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	s, err := p.session(h)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.token.use() {
		return CKR_SESSION_HANDLE_INVALID
	}
	defer s.token.done()
	return f(s)
}

// at runs f with the token in the slot of number id.
func (p *Provider) at(id uint, f func(*token) error) error {
	return p.with(id, (*slot).token, f)
}

// with is at with the way in which the token is looked for.
func (p *Provider) with(id uint, find func(*slot) (*token, error), f func(*token) error) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	s, err := p.slot(id)
	if err != nil {
		return err
	}
	t, err := find(s)
	if err != nil {
		return err
	}
	if !t.use() {
		return CKR_DEVICE_REMOVED
	}
	defer t.done()
	return t.run(func() error { return f(t) })
}

// run runs a call with a token that is in use, and looks after the token.
func (t *token) run(f func() error) error {
	err := t.alive()
	if err == nil {
		t.notice()
		err = f()
	}
	return t.after(err)
}

// after looks after the token when a call has ended with err, and returns its code.
func (t *token) after(err error) error {
	if gone(err) {
		t.lose()
	}
	return t.outcome(err)
}
