// SPDX-License-Identifier: Apache-2.0

// Package turn has locks for whose turn a thread of a host does not wait inside of Go,
// where the host's signals are held back.
package turn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pause sleeps as the process wants it: a library lets its host's signals through.
type Pause func(time.Duration)

// The pauses of a call that waits grow from the first to the last.
const (
	firstPause = 20 * time.Microsecond
	lastPause  = 2 * time.Millisecond
)

// attempts is how often a lock is tried before the wait begins: most are held for a moment.
const attempts = 20

// Locker is a sync.Mutex, a sync.RWMutex, or the reading side of one.
type Locker interface {
	Lock()
	TryLock() bool
	Unlock()
}

// Reader is the reading side of a sync.RWMutex.
type Reader sync.RWMutex

// Lock locks for reading.
func (r *Reader) Lock() { (*sync.RWMutex)(r).RLock() }

// TryLock locks for reading, unless that would mean waiting, and reports whether it has.
func (r *Reader) TryLock() bool { return (*sync.RWMutex)(r).TryRLock() }

// Unlock ends Lock.
func (r *Reader) Unlock() { (*sync.RWMutex)(r).RUnlock() }

// Take locks l. Where that lasts, a goroutine stands in the queue for it, while the caller
// pauses; without a pause it waits as usual.
func Take(l Locker, pause Pause) {
	if pause == nil {
		l.Lock()
		return
	}
	for range attempts {
		if l.TryLock() {
			return
		}
		runtime.Gosched()
	}
	_ = Aside(func() error { l.Lock(); return nil }, pause) // which does not fail
}

// The states of the goroutine that stands in the queue for somebody who does not wait for ever.
const (
	waiting = iota
	served
	gone
)

// TakeWhile is Take for a caller who gives up when no time is left. It reports whether l is
// locked.
func TakeWhile(l Locker, pause Pause, left func() time.Duration) bool {
	for range attempts {
		if l.TryLock() {
			return true
		}
		runtime.Gosched()
	}
	if pause == nil {
		pause = time.Sleep
	}
	var state atomic.Int32
	go func() {
		l.Lock()
		if !state.CompareAndSwap(waiting, served) {
			l.Unlock()
		}
	}()
	for p := firstPause; state.Load() == waiting; p = min(2*p, lastPause) {
		rest := left()
		if rest <= 0 {
			return !state.CompareAndSwap(waiting, gone)
		}
		pause(min(p, rest))
	}
	return true
}

// Mutex is a sync.Mutex that is taken with a pause.
type Mutex struct {
	Pause Pause // set before the first use; nil waits as usual
	lock  sync.Mutex
}

// Lock locks.
func (m *Mutex) Lock() { Take(&m.lock, m.Pause) }

// Unlock ends Lock.
func (m *Mutex) Unlock() { m.lock.Unlock() }

// TryLock locks, unless that would mean waiting, and reports whether it has.
func (m *Mutex) TryLock() bool { return m.lock.TryLock() }

// RWMutex is a sync.RWMutex that is taken with a pause.
type RWMutex struct {
	Pause Pause // set before the first use; nil waits as usual
	lock  sync.RWMutex
}

// Lock locks for writing.
func (m *RWMutex) Lock() { Take(&m.lock, m.Pause) }

// Unlock ends Lock.
func (m *RWMutex) Unlock() { m.lock.Unlock() }

// RLock locks for reading.
func (m *RWMutex) RLock() { Take((*Reader)(&m.lock), m.Pause) }

// RUnlock ends RLock.
func (m *RWMutex) RUnlock() { m.lock.RUnlock() }

// TryLock locks for writing, unless that would mean waiting, and reports whether it has.
func (m *RWMutex) TryLock() bool { return m.lock.TryLock() }
