// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"runtime"
	"testing"
)

// TestPromiseKeptWhileLookedFor: a call that did not find a session among those that are
// there, and then not among the promised ones, finds it: it was kept in between.
func TestPromiseKeptWhileLookedFor(t *testing.T) {
	f := newPublic(t)
	x, err := f.sessions.get(f.h)
	f.ok(err)
	f.sessions.Delete(f.h)
	f.promises.mu.Lock()
	found := make(chan error)
	go func() {
		_, err := f.findSession(f.h)
		found <- err
	}()
	for range 10000 { // until it waits for the lock
		runtime.Gosched()
	}
	f.sessions.Store(f.h, x)
	f.promises.mu.Unlock()
	f.ok(<-found)
}
