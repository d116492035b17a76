// SPDX-License-Identifier: Apache-2.0

package pkcs11

import "time"

// hasEvent reports whether the token has come or gone since callers were told.
func (s *slot) hasEvent() bool {
	t, _ := s.presentToken()
	s.mu.Lock()
	defer s.mu.Unlock()
	there := t != nil
	if there == s.told {
		return false
	}
	s.told = there
	return true
}

// soughtToken is token for who asks first of all whether there is one, and does without when there is
// none: it waits, unless the program is one that asks for no good reason.
func (s *slot) soughtToken() (*token, error) {
	if _, err := s.token(); err != nil && s.starting() && !s.provider.asksInVain() {
		_, _ = s.awaitToken() // whatever comes of it
	}
	return s.presentToken()
}

// describedToken is soughtToken that tells why there is none.
func (s *slot) describedToken() (*token, error) {
	if _, err := s.soughtToken(); err == error(CKR_CRYPTOKI_NOT_INITIALIZED) {
		return nil, err
	}
	return s.token()
}

// asksInVain reports whether the program asks for tokens that it may not need.
func (p *Provider) asksInVain() bool {
	return p.options.Quirks != nil && p.options.Quirks().WaitForSessionsOnly
}

// awaitToken is token that waits. A device that has never answered may be starting, for
// as long as SlotOptions.BootWait from when it was first asked.
func (s *slot) awaitToken() (*token, error) {
	for {
		t, err := s.token()
		if err == nil || !s.starting() {
			return t, err
		}
		if !s.provider.pauseUnlessClosed(openAgain) {
			return nil, CKR_CRYPTOKI_NOT_INITIALIZED
		}
	}
}

func (s *slot) starting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent && !s.met && time.Since(s.asked) < s.options.BootWait
}

// pauseUnlessClosed waits, and reports whether the provider lives on.
func (p *Provider) pauseUnlessClosed(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return false
	case <-timer.C:
		return true
	}
}

// WaitForSlotEvent waits for a token to come or go, and returns the slot (section 5.5.4).
// Without CKF_DONT_BLOCK it waits until C_Finalize.
func (p *Provider) WaitForSlotEvent(flags uint) (uint, error) {
	for {
		id, err := p.slotEvent()
		if err != CKR_NO_EVENT || flags&CKF_DONT_BLOCK != 0 {
			return id, err
		}
		if !p.pauseUnlessClosed(openAgain) {
			return 0, CKR_CRYPTOKI_NOT_INITIALIZED
		}
	}
}

func (p *Provider) slotEvent() (uint, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	for _, s := range p.slots {
		if s.hasEvent() {
			return s.id, nil
		}
	}
	return 0, CKR_NO_EVENT
}
