// SPDX-License-Identifier: Apache-2.0

package turn_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/turn"
)

// TestExclusion has goroutines take turns, with and without pauses.
func TestExclusion(t *testing.T) {
	for name, pause := range map[string]turn.Pause{"plain": nil, "pausing": time.Sleep} {
		t.Run(name, func(t *testing.T) {
			m := turn.RWMutex{Pause: pause}
			n := 0
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 200 {
						m.Lock()
						n++
						m.Unlock()
						m.RLock()
						_ = n
						m.RUnlock()
					}
				})
			}
			all.Wait()
			if n != 8*200 {
				t.Errorf("%d turns, want %d", n, 8*200)
			}
		})
	}
}

// TestPauses: a caller that has to wait for long pauses, and gets the lock when it is free.
func TestPauses(t *testing.T) {
	var pauses atomic.Int64
	m := turn.RWMutex{Pause: func(d time.Duration) { pauses.Add(1); time.Sleep(d) }}
	m.RLock()
	done := make(chan struct{})
	go func() {
		m.Lock()
		close(done)
	}()
	for pauses.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-done:
		t.Fatal("locked while another had it")
	default:
	}
	m.RUnlock()
	<-done
	if m.TryLock() {
		t.Error("locked twice")
	}
	m.Unlock()
}

// until is how much is left of a time that begins now.
func until(wait time.Duration) func() time.Duration {
	deadline := time.Now().Add(wait)
	return func() time.Duration { return time.Until(deadline) }
}

// TestTakeWhile: a caller that gives up leaves nothing locked behind.
func TestTakeWhile(t *testing.T) {
	for name, pause := range map[string]turn.Pause{"plain": nil, "pausing": time.Sleep} {
		t.Run(name, func(t *testing.T) {
			var m sync.Mutex
			m.Lock()
			if turn.TakeWhile(&m, pause, until(5*time.Millisecond)) {
				t.Fatal("locked while another had it")
			}
			time.AfterFunc(5*time.Millisecond, m.Unlock)
			if !turn.TakeWhile(&m, pause, until(time.Minute)) {
				t.Fatal("given up although it is free")
			}
			m.Unlock()
			if !turn.TakeWhile(&m, pause, until(0)) {
				t.Error("that no time is left keeps from a lock that is free")
			}
		})
	}
}
