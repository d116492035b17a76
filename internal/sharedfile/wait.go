// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// The pauses between two attempts to get a lock grow from the first to the last.
const (
	firstPause = 50 * time.Microsecond
	lastPause  = 2 * time.Millisecond
)

// patience is how long a call still waits: to one moment that is fixed when the
// call arrives, whatever it has to wait for.
type patience struct {
	deadline time.Time
	pause    func(time.Duration)
	brief    bool // it is less than what a call waits

	// Of what the call is just waiting for.
	move  uint64      // how it stood when the call came
	still *standstill // nil: it did not stand still then
	short time.Time   // when the call gives up if it still does
}

// arrive begins a call that waits so long.
func (p Process) arrive(wait time.Duration) patience {
	return patience{deadline: time.Now().Add(wait), pause: p.pauseOrSleep(), brief: wait <= 0}
}

// atMost returns a patience that ends earlier.
func (p patience) atMost(wait time.Duration) patience {
	if deadline := time.Now().Add(wait); deadline.Before(p.deadline) {
		p.deadline = deadline
	}
	p.brief = true
	return p
}

// timeLeft is how long the call still waits.
func (p patience) timeLeft() time.Duration {
	left := time.Until(p.deadline)
	if p.still.isLasting() {
		left = min(left, time.Until(p.short))
	}
	return left
}

// inVain reports whether the call has waited for as long as any call does.
func (p patience) inVain() bool { return !p.brief && !time.Now().Before(p.deadline) }

// retryUntil tries again and again, because a call that waits in the kernel or in SQLite
// cannot be called off. It returns ErrBusy when patience ends.
func (p patience) retryUntil(try func() (done bool, err error)) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if done, err := try(); done || err != nil {
			return err
		}
		left := p.timeLeft()
		if left <= 0 {
			return ErrBusy
		}
		p.pause(min(pause, left))
	}
}
