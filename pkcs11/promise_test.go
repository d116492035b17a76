// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
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

// leaving is an Estate that says when a token is left.
type leaving struct {
	*memory
	leavesToken func()
}

func (l *leaving) Leave(instead Piece, content []byte) Piece {
	if r := (&contentReader{rest: content}); r.readNumber() == tokenPiece {
		l.leavesToken()
	}
	return l.memory.Leave(instead, content)
}

// TestPromiseKeptLast: nobody has a session before the token is left to children, or a login would
// be left at the same time, and lost.
func TestPromiseKeptLast(t *testing.T) {
	left := &leaving{memory: &memory{pieces: map[Piece][]byte{}}}
	f := openIn(t, newPublic(t).dir, Options{Estate: left})
	h, _ := f.promises.add(f.Provider, f.slots[0])
	times := 0
	left.leavesToken = func() {
		times++
		if _, err := f.sessions.get(h); err == nil {
			t.Error("the session is there before the token is left")
		}
	}
	f.ok(f.FindObjectsInit(h, nil))
	if times != 1 {
		t.Errorf("the token was left %d times", times)
	}
}

// TestPausesWhilePromiseIsKept: the first call with a promised session opens the device, and the thread of
// the host pauses meanwhile, so that its signals are let through.
func TestPausesWhilePromiseIsKept(t *testing.T) {
	var pauses atomic.Int64
	slow := Options{Pause: func(d time.Duration) { pauses.Add(1); time.Sleep(d) }}
	f := openIn(t, newPublic(t).dir, slow)
	h, _ := f.promises.add(f.Provider, f.slots[0])
	open := f.slots[0].options.Open
	f.slots[0].options.Open = func() (scm.Device, *store.Store, error) {
		until := time.Now().Add(10 * time.Second)
		for before := pauses.Load(); pauses.Load() < before+3; {
			if time.Now().After(until) {
				t.Error("the thread does not pause")
				break
			}
			time.Sleep(time.Millisecond)
		}
		return open()
	}
	f.ok(f.FindObjectsInit(h, nil))
}

// TestNoPromiseAfterAllAreClosed: C_CloseAllSessions closes what was promised with a token that was to be
// made, and cannot be opened any more.
func TestNoPromiseAfterAllAreClosed(t *testing.T) {
	broken := openIn(t, t.TempDir(), Options{})
	broken.slots[0].options.Open = func() (scm.Device, *store.Store, error) { return nil, nil, errors.New("no room") }
	h, _ := broken.promises.add(broken.Provider, broken.slots[0])
	want(t, "C_FindObjectsInit", broken.FindObjectsInit(h, nil), CKR_DEVICE_REMOVED)
	_ = broken.CloseAllSessions(0) // whatever it says of the token
	_, err := broken.GetSessionInfo(h)
	want(t, "C_GetSessionInfo", err, CKR_SESSION_HANDLE_INVALID)
}
