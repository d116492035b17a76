// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/scm"
)

// The device of a slot is opened by the first call that needs a token. It may be starting by
// then, and calls that can bear it wait. It is gone when it is unbound from the host,
// unreachable, or without the keys that it has destroyed. Its sessions end then, and the next
// call that needs a token opens it anew, so that nobody has to start the host again.

// stage is how far the device of a slot is in its life.
type stage uint8

const (
	absent   stage = iota // it was never there, as far as anybody has asked
	starting              // it was never there, and does not answer: it may be starting
	present               // it is open, and the slot has a token
	gone                  // it was there, and is not any more
)

// event is what happens to the device of a slot.
type event uint8

const (
	answered event = iota // it was opened
	silent                // it could not be opened, because it did not answer
	refused               // it could not be opened for another reason
	lost                  // it was open, and is gone
)

// transitions are the stages that follow. A device that was there once is never starting again.
var transitions = [...][4]stage{
	absent:   {answered: present, silent: starting, refused: absent, lost: absent},
	starting: {answered: present, silent: starting, refused: absent, lost: starting},
	present:  {answered: present, silent: present, refused: present, lost: gone},
	gone:     {answered: present, silent: gone, refused: gone, lost: gone},
}

// openAgain is how long a slot whose device could not be opened waits before it
// tries again.
const openAgain = time.Second

// life is the life of the device of a slot, whose lock guards it.
type life struct {
	stage     stage
	token     *token    // while it is present
	asked     time.Time // when it was to be opened first
	failed    time.Time // when it could not be opened last
	why       Error     // it could not
	announced bool      // callers know of a token: there was one at the first attempt, or at the latest event
}

// meet has a device be there that was opened by an attempt begun at that time.
func (l *life) meet(t *token, begun time.Time) {
	if l.asked.IsZero() {
		l.asked, l.announced = begun, true // what changes from now on is an event
	}
	l.stage, l.token = transitions[l.stage][answered], t
}

// miss notes that an attempt begun at that time has failed. Those who ask whether there is a
// token are told that there is none: a host that has other tokens goes on with them.
func (l *life) miss(err error, begun time.Time) {
	if l.asked.IsZero() {
		l.asked = begun
	}
	l.failed, l.why = time.Now(), CKR_TOKEN_NOT_PRESENT
	if isDamaged(err) {
		l.why = CKR_DEVICE_ERROR
	}
	happened := refused
	if errors.Is(err, scm.ErrTimeout) {
		happened = silent
	}
	l.stage = transitions[l.stage][happened]
}

// lose has the device of a token be gone.
func (l *life) lose(t *token) {
	if l.token == t {
		l.stage, l.token = transitions[l.stage][lost], nil
	}
}

// token returns the token in the slot and opens the device when needed.
func (s *slot) token() (*token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.stage == present {
		return s.life.token, nil
	}
	begun := time.Now()
	if begun.Sub(s.life.failed) < openAgain {
		return nil, s.life.why
	}
	t, err := s.openToken()
	if err != nil {
		s.life.miss(err, begun)
		s.logFailure(err)
		return nil, s.life.why
	}
	s.life.meet(t, begun)
	return t, nil
}

// awaitToken is token that waits for a device that is starting.
func (s *slot) awaitToken() (*token, error) {
	for {
		t, err := s.token()
		if err == nil || !s.isStarting() {
			return t, err
		}
		if !s.provider.pauseUnlessClosed(openAgain) {
			return nil, CKR_CRYPTOKI_NOT_INITIALIZED
		}
	}
}

// open is token for what needs no more than that there is one.
func (s *slot) open() error {
	_, err := s.token()
	return err
}

// awaitOpening is open that waits for a device that is starting.
func (s *slot) awaitOpening() error {
	_, err := s.awaitToken()
	return err
}

// isStarting reports whether the device may be starting, which it may for as long as
// SlotOptions.BootWait from when it was first asked.
func (s *slot) isStarting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.stage == starting && time.Since(s.life.asked) < s.options.BootWait
}

// presentToken is token for calls that ask whether there is one.
func (s *slot) presentToken() (*token, error) {
	t, err := s.token()
	if err != nil {
		return nil, err
	}
	if !t.acquire() {
		return nil, CKR_TOKEN_NOT_PRESENT
	}
	defer t.release()
	if err := t.checkPresent(); errors.Is(err, scm.ErrAbsent) {
		t.endIfGone()
		return nil, CKR_TOKEN_NOT_PRESENT
	}
	return t, nil
}

// soughtToken is presentToken for calls by which a program looks first of all whether there is a token,
// and does without when there is none. It waits, unless the program is one that asks for no good reason.
func (s *slot) soughtToken() (*token, error) {
	if _, err := s.token(); err != nil && s.isStarting() && !s.provider.asksInVain() {
		_ = s.awaitOpening() // whatever comes of it
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

// hasEvent reports whether the token has come or gone since callers were told.
func (s *slot) hasEvent() bool {
	there := s.isUnmade()
	if !there {
		_, err := s.presentToken()
		there = err == nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := there != s.life.announced
	s.life.announced = there
	return changed
}

// presence is what a token knows of its device, which is present for as long as the token is used.
type presence struct {
	inUse    sync.RWMutex  // held for reading by every call, for writing by the one that closes
	ended    atomic.Bool   // the device is gone, and no call begins any more
	seen     atomic.Uint64 // the version at which the device was there
	seenKeys atomic.Uint64 // the version at which it had its keys
}

// acquire keeps the token from being closed, until release, and reports whether it does: one
// that is gone is not kept. It does not wait for the one who closes: the caller may hold a lock
// for which a call waits that is under way with the token.
func (p *presence) acquire() bool {
	if p.ended.Load() || !p.inUse.TryRLock() {
		return false
	}
	if p.ended.Load() {
		p.inUse.RUnlock()
		return false
	}
	return true
}

func (p *presence) release() { p.inUse.RUnlock() }

// checkPresent returns why the device is gone, and nil while it is not. It asks the device when
// that has changed, also by the hand of other processes, and costs nothing otherwise.
func (t *token) checkPresent() error { return t.checkSince(&t.seen) }

// checkKeys returns an error unless the device has its keys, and asks it as seldom as checkPresent.
func (t *token) checkKeys() error { return t.checkSince(&t.seenKeys) }

// checkSince asks the device if it has changed since it was seen.
func (t *token) checkSince(seen *atomic.Uint64) error {
	version := t.device.Version()
	if seen.Load() == version {
		return nil
	}
	err := t.askDevice()
	if err == nil {
		seen.Store(version)
	}
	return err
}

// askDevice returns an error if the device is gone. Failures that may pass are for the call that meets them.
func (t *token) askDevice() error {
	_, err := t.listing()
	if r, can := t.device.(scm.Reconnector); can && errors.Is(err, scm.ErrAbsent) && r.Reconnect() == nil {
		_, err = t.listing()
	}
	if !isGone(err) {
		return nil
	}
	return err
}

// isGone reports whether a device that answers err may be gone.
func isGone(err error) bool {
	return errors.Is(err, scm.ErrAbsent) || errors.Is(err, scm.ErrDestroyed)
}

// endIfGone ends the token if its device, asked once more, is gone. Calls that are under way
// with it come to their ends.
func (t *token) endIfGone() {
	t.forgetObjects()
	err := t.askDevice()
	if err == nil || t.ended.Swap(true) {
		return
	}
	s := t.slot
	if !errors.Is(err, scm.ErrDestroyed) { // which outcome tells
		s.provider.log.Warningf("slot %d: the device is gone, and all sessions with it: %v", s.id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.lose(t)
	for _, x := range s.provider.sessionsOf(t) {
		s.provider.forget(x)
	}
	s.retiring.Go(t.retire)
}

// retire closes a token that is gone, after its last call.
func (t *token) retire() {
	t.inUse.Lock()
	defer t.inUse.Unlock()
	t.close()
}

// close closes the token, if there is one, and waits for those that are gone.
func (s *slot) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.life.token; t != nil {
		t.close()
		s.life.lose(t)
	}
	s.retiring.Wait()
}
