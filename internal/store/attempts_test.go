// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
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

// witness is a device that counts changes, or answers err.
type witness struct {
	err     error
	changes uint64
	saw     []uint64
}

func (w *witness) Changes() (uint64, uint64, error) { return w.changes, 0, w.err }
func (w *witness) Counted() uint64                  { return w.changes }
func (w *witness) Saw(seen uint64)                  { w.saw = append(w.saw, seen) }
func (w *witness) Note(uint64) error                { return w.err }

// witnessed opens a token beside a device that counts, and collects what is warned of.
func witnessed(t *testing.T, dir string, w *witness, warnings *[]string) *store.Store {
	t.Helper()
	o := options()
	o.Witness, o.Warn = w, func(format string, args ...any) { *warnings = append(*warnings, fmt.Sprintf(format, args...)) }
	s, err := store.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestRightPINBesideFailingDevice: a right PIN is one, however often the device does not
// tell how many changes it has had, and the next login that gets to know finds an older copy.
func TestRightPINBesideFailingDevice(t *testing.T) {
	_, dir, _ := initialized(t)
	var warnings []string
	w := &witness{changes: 5}
	s := witnessed(t, dir, w, &warnings)
	unlock(t, s)
	w.err, w.changes = store.ErrBusy, 4
	for range store.DefaultMaxFailures + 1 {
		if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil {
			t.Fatal(err)
		}
	}
	if p := pinOf(t, s, store.NormalUser); p.Failures != 0 {
		t.Errorf("%d failures", p.Failures)
	}
	if n := len(warnings); n != store.DefaultMaxFailures+1 {
		t.Errorf("%d warnings: %q", n, warnings)
	}
	w.err, warnings = nil, nil
	unlock(t, s)
	if len(warnings) != 1 || !strings.Contains(warnings[0], "(flash.db) is an older copy") {
		t.Errorf("warned %q", warnings)
	}
}
