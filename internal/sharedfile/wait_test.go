// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

const callers = 12

// slowest starts callers at the same moment, which all have to fail with ErrBusy, and
// returns how long the last one took.
func slowest(t *testing.T, call func() error) time.Duration {
	t.Helper()
	var longest atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range callers {
		group.Go(func() {
			if err := call(); !errors.Is(err, sharedfile.ErrBusy) {
				t.Errorf("%v, want ErrBusy", err)
			}
			longest.Store(int64(time.Since(start))) // the last one stays
		})
	}
	group.Wait()
	return time.Duration(longest.Load())
}

// TestWaitIsABound: callers that come together are told together, and do not wait one
// after the other for as long each.
func TestWaitIsABound(t *testing.T) {
	const wait = 200 * time.Millisecond
	dir := t.TempDir()
	holder, err := openLock(t, filepath.Join(dir, "lock")).Exclusive(0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder()
	lock := openLock(t, filepath.Join(dir, "lock"))

	path := filepath.Join(dir, "f")
	f := openWaiting(t, path, wait)
	processtest.Start(t, "stay in update", path).Hear()

	for name, call := range map[string]func() error{
		"Exclusive": func() error { _, err := lock.Exclusive(wait); return err },
		"Shared":    func() error { _, err := lock.Shared(wait); return err },
		"Update":    func() error { return f.Update(increment) },
		"Purge":     f.Purge,
	} {
		t.Run(name, func(t *testing.T) {
			if took := slowest(t, call); took > callers/2*wait {
				t.Errorf("%d callers with a wait of %v: the last was told after %v", callers, wait, took)
			}
		})
	}
}

// TestPause checks that a wait for others is the process's own, whatever it is for.
func TestPause(t *testing.T) {
	path := newPath(t)
	mustIncrement(t, open(t, path))
	waits := []struct {
		name string
		lock string // what others have meanwhile
		call func(*sharedfile.File) error
	}{
		{"Update", ".write", func(f *sharedfile.File) error { return f.Update(increment) }},
		{"Update beside an opening", ".lock", func(f *sharedfile.File) error { return f.Update(increment) }},
		{"View", ".lock", func(f *sharedfile.File) error { _, err := count(f); return err }},
		{"Purge", ".lock", func(f *sharedfile.File) error { return f.Purge() }},
	}
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			var paused atomic.Int32
			others := openLock(t, path+w.lock)
			var release func()
			o := options()
			o.Process.Pause = func(d time.Duration) {
				if paused.Add(1) == 5 {
					release()
				}
				time.Sleep(d)
			}
			f := openWith(t, path, o)
			paused.Store(0)
			var err error
			if release, err = others.Exclusive(time.Minute); err != nil {
				t.Fatal(err)
			}
			if err := w.call(f); err != nil || paused.Load() < 5 {
				t.Errorf("%v after %d pauses", err, paused.Load())
			}
		})
	}
}

// TestPauseForGoroutines: also those that wait for one another.
func TestPauseForGoroutines(t *testing.T) {
	var paused atomic.Int32
	o := sharedfile.Options{Mode: 0o600, Group: -1}
	o.Process.Pause = func(d time.Duration) { paused.Add(1); time.Sleep(d) }
	l, err := sharedfile.OpenLock(filepath.Join(t.TempDir(), "lock"), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	release, err := l.Exclusive(0)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan func())
	go func() {
		again, err := l.Exclusive(time.Minute)
		if err != nil {
			t.Error(err)
		}
		taken <- again
	}()
	for paused.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	release()
	(<-taken)()
}
