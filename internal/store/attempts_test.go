// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"
	"time"

	"libzk_pkcs11/internal/store"
)

// attempting begins an attempt that lasts until it is ended.
func attempting(t *testing.T, s *store.Store) (end func()) {
	t.Helper()
	begun, leave, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		ended <- s.Attempt(store.NormalUser, func() {
			close(begun)
			<-leave
		})
	}()
	<-begun
	return func() {
		close(leave)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestAttemptsWaitOnce: callers who try a PIN one after another, as threads do that wait for
// a lock, are told as soon as the first of them has waited for an attempt of a process that
// is stopped. An attempt that has begun since is waited for.
func TestAttemptsWaitOnce(t *testing.T) {
	const callers, wait = 8, time.Second
	_, dir, _ := initialized(t)
	o := options()
	o.Wait = wait
	s, err := store.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	other := open(t, dir)

	end := attempting(t, other)
	start := time.Now()
	for range callers {
		if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrBusy) {
			t.Errorf("%v, want ErrBusy", err)
		}
	}
	if took := time.Since(start); took > callers/2*wait {
		t.Errorf("%d callers with a wait of %v: the last was told after %v", callers, wait, took)
	}
	end()

	end = attempting(t, other)
	checked := make(chan error)
	go func() {
		_, err := s.CheckPIN(store.NormalUser, userPIN)
		checked <- err
	}()
	time.Sleep(50 * time.Millisecond) // far longer than it would wait for the attempt before
	end()
	if err := <-checked; err != nil {
		t.Errorf("beside another attempt: %v", err)
	}
}
