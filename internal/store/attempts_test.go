// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// loseLog closes what the log is synced by, which is not what SQLite writes it by: the
// package moves its own descriptors up.
func loseLog(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < 100 {
			continue
		}
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); name == filepath.Join(dir, "token.db-wal") {
			unix.Close(fd)
		}
	}
}

// TestOnlyLastingIsNoted: a change that a loss of power may undo is not told to the device,
// and to the counts not before it is on the disk: else an older copy would be suspected after it.
func TestOnlyLastingIsNoted(t *testing.T) {
	_, dir, _ := initialized(t)
	w := &witness{}
	s := witnessed(t, dir, w, new([]string))
	unlock(t, s)
	w.saw = nil
	r := store.Record{Slot: store.NoSlot, Attributes: label("relaxed")}
	put := func(tx *store.Tx) error { return tx.Put(&r) }
	soon := func(fn func(*store.Tx) error) (store.Change, error) { return s.Soon(time.Minute, fn) }
	for _, change := range []func(func(*store.Tx) error) (store.Change, error){s.Relaxed, soon} {
		if _, err := change(put); err != nil || len(w.saw) != 0 {
			t.Errorf("after a relaxed change the device was told %d, %v", w.saw, err)
		}
	}
	now := changes(t, s, 0).Revision
	loseLog(t, dir)
	if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil || len(w.saw) != 0 {
		t.Errorf("a login that cannot have it on the disk has told the device %d, %v", w.saw, err)
	}
	s = witnessed(t, dir, w, new([]string))
	unlock(t, s)
	if len(w.saw) != 1 || w.saw[0] != now {
		t.Errorf("a login has told the device %d, want %d", w.saw, now)
	}
	w.saw = nil
	for _, change := range []func(func(*store.Tx) error) (store.Change, error){s.Update, s.Release} {
		if _, err := change(put); err != nil {
			t.Error(err)
		}
	}
	if len(w.saw) != 2 || w.saw[1] != now+2 {
		t.Errorf("after lasting changes the device was told %d, want %d at last", w.saw, now+2)
	}
}
