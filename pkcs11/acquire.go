// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"runtime"
	"sync"
	"time"
)

// The pauses of a call that waits for a lock grow from the first to the last.
const (
	firstPause = 20 * time.Microsecond
	lastPause  = 2 * time.Millisecond
)

// attempts is how often a lock is tried before a call goes to sleep for it: most are held
// for a moment.
const attempts = 20

// lock is a sync.Mutex, a sync.RWMutex, or the reading side of one.
type lock interface {
	Lock()
	TryLock() bool
}

// readLock is the reading side of a sync.RWMutex.
type readLock sync.RWMutex

func (l *readLock) Lock()         { (*sync.RWMutex)(l).RLock() }
func (l *readLock) TryLock() bool { return (*sync.RWMutex)(l).TryRLock() }

// acquire takes a lock that another call may hold as long as a device or another process
// takes. A goroutine stands in the queue for it, while the call pauses in such a way that
// signals of its host are handled (Options.Pause).
func (p *Provider) acquire(l lock) {
	for range attempts {
		if l.TryLock() {
			return
		}
		runtime.Gosched()
	}
	taken := make(chan struct{})
	go func() {
		l.Lock()
		close(taken)
	}()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		select {
		case <-taken:
			return
		default:
			p.options.Pause(pause)
		}
	}
}

// acquire is that of the provider.
func (t *token) acquire(l lock) { t.slot.provider.acquire(l) }
