// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"math/bits"
	"slices"
	"sync"
	"time"

	"libzk_pkcs11/internal/scm"
)

// The pauses of a job that waits for a member grow from the first to the last.
const (
	firstPause = 20 * time.Microsecond
	lastPause  = 500 * time.Microsecond
)

// patience is how long a job waits for members that other processes have. It then goes to one beside them: a
// process that has a member may have been stopped.
const patience = time.Second

// line says which jobs wait for members in this process, and which members are in use by it.
type line struct {
	mu      sync.Mutex // held for a moment
	busy    uint64
	waiting []*place // the one that came first is first
	next    int      // the member that is next in turn
}

// place is that of a job in the line.
type place struct {
	wants uint64
	since time.Time
}

func (p *place) isPatient() bool { return time.Since(p.since) < patience }

// awaitMember returns a member that can do the job and is free, nil when none can do it.
func (c *core) awaitMember(j *job) (m *member, release func()) {
	p := c.line.join()
	defer c.line.quit(p)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		wants := j.candidates()
		if wants == 0 {
			if j.err == nil {
				j.err = scm.ErrAbsent
			}
			return nil, nil
		}
		if m, release = c.claimFree(p, wants); m != nil {
			return m, release
		}
		c.options.Pause(pause)
	}
}

// claimFree takes one of the members that are wanted, if one is free.
func (c *core) claimFree(p *place, wants uint64) (m *member, release func()) {
	elsewhere := uint64(0) // the members that other processes have
	for {
		i := c.line.takeFree(p, wants, elsewhere)
		if i < 0 {
			return nil, nil
		}
		m := c.members[i]
		if done, free := m.takeTurn(); free || !p.isPatient() {
			return m, func() { done(); c.line.giveBack(m.bit) }
		}
		c.line.giveBack(m.bit)
		elsewhere |= m.bit
	}
}

// join puts a job at the end of the line.
func (l *line) join() *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &place{since: time.Now()}
	l.waiting = append(l.waiting, p)
	return p
}

// quit takes a job out of the line.
func (l *line) quit(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, p)
	l.waiting = slices.Delete(l.waiting, i, i+1)
}

// takeFree takes a member for this process, the one whose turn it is among those that are wanted,
// free, and not for jobs that came earlier. It is -1 when there is none. Those that other processes
// have are wanted still: a job that comes later does not get them first when they are given back.
func (l *line) takeFree(p *place, wants, elsewhere uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.wants = wants
	free := wants &^ l.busy &^ elsewhere
	for _, earlier := range l.waiting {
		if earlier == p {
			break
		}
		free &^= earlier.wants
	}
	if free == 0 {
		return -1
	}
	later := free >> l.next << l.next
	if later == 0 {
		later = free
	}
	i := bits.TrailingZeros64(later)
	l.busy |= 1 << i
	l.next = (i + 1) % MostMembers
	return i
}

// giveBack gives a member back to this process.
func (l *line) giveBack(bit uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy &^= bit
}
