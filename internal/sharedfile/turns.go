// SPDX-License-Identifier: Apache-2.0

package sharedfile

import "time"

// Writers of several processes take a lock in no order. One that writes again and again
// takes it within microseconds of giving it up, and the others, which look every two
// milliseconds, hardly ever find it free: on a busy machine not for minutes. So a process
// that has looked for it for some time says so in the counter's file, and those who have
// had their turn hold back until it has had its own. A turn is a time and no number of
// changes: to hand the lock over takes until the other process runs again, which on a busy
// machine is far longer than a change. So a process that had to wait for long goes on for longer.
const (
	leastTurn    = 50 * time.Millisecond  // how long a process goes on while others ask
	mostTurn     = 300 * time.Millisecond // and the same after it had to wait
	turnOfWait   = 8                      // for so many times as long
	turnAsked    = 20 * time.Millisecond  // how long a process looks for the lock before it asks
	turnLasts    = 200 * time.Millisecond // how long it is believed: it may be stopped, or dead
	turnHoldBack = 100 * time.Millisecond // how long others hold back at most, once each
)

// turns is by what the processes that want a lock alone let each other have it. It belongs
// to the goroutine whose turn it is in this process. A nil turns lets nobody go first.
type turns struct {
	gen *generation
	end time.Time // of the last turn of this process
}

// followCounter has a lock for writers know by the counter that others move, and whether
// one asks for a turn.
func (l *Lock) followCounter(g *generation) {
	if l != nil && g != nil {
		l.Watch(g.moves)
		l.turns = &turns{gen: g}
	}
}

// letOthers waits while another process asks for its turn, unless this one has just begun
// its own.
func (t *turns) letOthers(p patience) {
	if t == nil || time.Now().Before(t.end) || !t.gen.turnIsAsked() {
		return
	}
	_ = p.atMost(turnHoldBack).retryUntil(t.nobodyAsks)
	t.begin(0)
}

// begin begins a turn of this process.
func (t *turns) begin(waited time.Duration) {
	t.end = time.Now().Add(min(max(waited/turnOfWait, leastTurn), mostTurn))
}

func (t *turns) nobodyAsks() (bool, error) { return !t.gen.turnIsAsked(), nil }

// waiter is a process that looks for a lock.
type waiter struct {
	turns *turns
	since time.Time
	vain  bool   // it has not found it free
	asked uint64 // what it wrote last; 0: it has not asked
}

func (t *turns) newWaiter() waiter { return waiter{turns: t, since: time.Now()} }

// ask notes that the lock is not free, and asks for the turn of one that has waited for long.
func (w *waiter) ask() {
	w.vain = true
	if w.turns != nil && time.Since(w.since) >= turnAsked {
		w.asked = w.turns.gen.askForTurn()
	}
}

// done has the others go on, unless another process asks by now.
func (w *waiter) done() {
	if w.turns != nil && w.vain {
		w.turns.begin(time.Since(w.since))
	}
	if w.asked != 0 {
		w.turns.gen.endTurn(w.asked)
	}
}

// askForTurn has writers that have not begun to wait hold back. It returns what it wrote.
func (g *generation) askForTurn() uint64 {
	now := uint64(time.Now().UnixNano())
	_ = g.storeWord(wordTurn, now)
	return now
}

func (g *generation) endTurn(asked uint64) {
	if g.loadWord(wordTurn) == asked {
		_ = g.storeWord(wordTurn, 0)
	}
}

// turnIsAsked reports whether writers should hold back.
func (g *generation) turnIsAsked() bool {
	asked := g.loadWord(wordTurn)
	if asked == 0 {
		return false
	}
	ago := time.Duration(uint64(time.Now().UnixNano()) - asked)
	return 0 <= ago && ago < turnLasts
}
