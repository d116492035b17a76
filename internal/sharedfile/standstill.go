// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"sync/atomic"
	"time"
)

// Callers of this package hold locks of their own while they wait here: threads stand in
// a queue for them, and each would begin to wait when the one before has given up. So what
// a call has found out by waiting in vain holds for those that come after it. They are told
// at once, until something moves. Nobody has to tell how long a caller has been waiting
// before it came here, and a caller whose lock is held for another reason, such as a device
// that is slow, goes on waiting for that.

// standstill is what the calls of a process know of others who keep them waiting for
// something.
type standstill struct {
	// moves returns a number that is another one once others have done something. nil:
	// nobody can tell, and it lasts until a call of this process gets through.
	moves func() uint64
	vain  atomic.Pointer[uint64] // the number before and after a call waited in vain; nil: none has
}

func (s *standstill) lastMove() uint64 {
	if s.moves == nil {
		return 0
	}
	return s.moves()
}

// isLasting reports whether a call has waited in vain, and nothing has moved since it came.
func (s *standstill) isLasting() bool {
	if s == nil {
		return false
	}
	at := s.vain.Load()
	return at != nil && *at == s.lastMove()
}

// shortWait is how long a call waits for something that stands still: the call that gets it first
// needs a moment to say that it does not any more.
const shortWait = 5 * time.Millisecond

// beginWait returns the patience of a call that comes to wait for this. One that waits
// already goes on when another call has waited in vain.
func (s *standstill) beginWait(p patience) patience {
	p.still, p.move = nil, s.lastMove()
	if s.isLasting() {
		p.still, p.short = s, time.Now().Add(shortWait)
	}
	return p
}

// endWait notes whether a call that has begun got through, and returns the error with which it
// ends.
func (s *standstill) endWait(p patience, err error) error {
	switch {
	case err == nil:
		s.endStandstill()
	case errors.Is(err, ErrBusy) && p.inVain() && p.move == s.lastMove():
		at := p.move
		s.vain.Store(&at)
	}
	return err
}

// endStandstill says that a call has got through.
func (s *standstill) endStandstill() {
	if s.vain.Load() != nil {
		s.vain.Store(nil)
	}
}
