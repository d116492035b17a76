// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"

	"libzk_pkcs11/internal/scm"
)

// A token is gone when its device is: unbound from the host, unreachable, or without the
// keys that it has destroyed. Its sessions end then, and the next call that needs a token
// opens the device anew, so that nobody has to start the host again.

// isGone reports whether a device that answers err may be lost.
func isGone(err error) bool {
	return errors.Is(err, scm.ErrAbsent) || errors.Is(err, scm.ErrDestroyed)
}

// acquire keeps the token from being closed, until release. It is false for one that is gone. It
// does not wait for the one who closes: the caller may hold a lock for which a call waits
// that is under way with the token.
func (t *token) acquire() bool {
	if t.gone.Load() || !t.inUse.TryRLock() {
		return false
	}
	if t.gone.Load() {
		t.inUse.RUnlock()
		return false
	}
	return true
}

func (t *token) release() { t.inUse.RUnlock() }

// checkPresent returns why the device is gone, and nil while it is not. It asks the device when
// that has changed, also by the hand of other processes, and costs nothing otherwise.
func (t *token) checkPresent() error {
	version := t.device.Version()
	if t.asked.Load() == version {
		return nil
	}
	err := t.askDevice()
	if err == nil {
		t.asked.Store(version)
	}
	return err
}

// checkKeys returns an error unless the device has its keys, and asks it as seldom as checkPresent.
func (t *token) checkKeys() error {
	version := t.device.Version()
	if t.usable.Load() == version {
		return nil
	}
	err := t.askDevice()
	if err == nil {
		t.usable.Store(version)
	}
	return err
}

// askDevice looks at the device. Failures that may pass are for the call that meets them.
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

// endIfGone ends the token if its device, asked once more, is gone. Calls that are under way
// with it come to their ends.
func (t *token) endIfGone() {
	t.forgetObjects()
	err := t.askDevice()
	if err == nil || t.gone.Swap(true) {
		return
	}
	s := t.slot
	if !errors.Is(err, scm.ErrDestroyed) { // which outcome tells
		s.provider.log.Warningf("slot %d: the device is gone, and all sessions with it: %v", s.id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.present == t {
		s.present = nil
	}
	for _, x := range s.provider.sessionsOf(t) {
		s.provider.forget(x)
	}
	s.retiring.Go(t.retire)
}

// reportDestroyed tells once that the keys of an SCM are gone, and what was sealed under it with
// them: the slot opens it again and again.
func (s *slot) reportDestroyed() {
	if !s.destroyed.Swap(true) {
		s.provider.log.Errorf("slot %d: the SCM has destroyed its keys, and nobody can open the private objects any more, which stay in token.db: put a copy of flash.db back, or reset a soft SCM or exchange one in hardware, and initialise the token again", s.id)
	}
}

// retire closes a token that is gone, after its last call.
func (t *token) retire() {
	t.inUse.Lock()
	defer t.inUse.Unlock()
	t.close()
}

// presentToken is token for who asks whether there is one.
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
