// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/store"
)

func countsPath(dir string) string { return filepath.Join(dir, "token.pins") }

// spoil changes the file of the counts behind the store's back.
func spoil(t testing.TB, dir string, change func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(countsPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(countsPath(dir), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(change(content)); err != nil {
		t.Fatal(err)
	}
}

func fail(t testing.TB, s *store.Store, times int) {
	t.Helper()
	for range times {
		if _, err := s.CheckPIN(store.NormalUser, []byte("wrong")); !errors.Is(err, store.ErrPIN) {
			t.Fatalf("wrong PIN: %v", err)
		}
	}
}

// A write that is torn spoils one copy, and the other one says what was before.
func TestOneCopyIsEnough(t *testing.T) {
	for offset := range 2 {
		s, dir, _ := initialized(t)
		fail(t, s, 3)
		spoil(t, dir, func(b []byte) []byte {
			clear(b[4096*offset : 4096*offset+50])
			return b
		})
		if n := pinOf(t, s, store.NormalUser).Failures; n != 3 {
			t.Errorf("copy %d spoilt: %d failures, want 3: the other has the mark of the third", offset, n)
		}
		fail(t, open(t, dir), 2)
		if n := pinOf(t, s, store.NormalUser).Failures; n != 5 {
			t.Errorf("copy %d spoilt, two failures later: %d", offset, n)
		}
	}
}

// Nobody gets attempts for nothing because a file is damaged.
func TestDamagedCountsFailClosed(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"zeros":      func(b []byte) []byte { return make([]byte, len(b)) },
		"empty":      func([]byte) []byte { return nil },
		"too short":  func(b []byte) []byte { return b[:4096] },
		"bit":        func(b []byte) []byte { b[30]++; b[4096+30]++; return b },
		"exchanged":  func(b []byte) []byte { return append(bytes.Clone(b[4096:]), b[:4096]...) },
		"other file": func(b []byte) []byte { return bytes.Repeat([]byte("text"), len(b)/4) },
	} {
		s, dir, _ := initialized(t)
		fail(t, s, 2)
		spoil(t, dir, change)
		before, err := os.ReadFile(countsPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*store.Store{s, open(t, dir)} {
			for u, pin := range [][]byte{soPIN, userPIN} {
				_, err := s.CheckPIN(store.User(u), pin)
				if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "token.pins") {
					t.Errorf("%s: right PIN: %v", name, err)
				}
			}
			if _, err := s.Token(); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: Token: %v", name, err)
			}
		}
		if after, err := os.ReadFile(countsPath(dir)); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the file has changed: %v", name, err)
		}
	}
}

// A file that is cut must not grow when an attempt is counted: the disk may be full.
func TestCutCounts(t *testing.T) {
	s, dir, _ := initialized(t)
	spoil(t, dir, func(b []byte) []byte { return b[:len(b)-1] })
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("the right PIN: %v", err)
	}
}

// A process that has the file open does not count where nobody else sees it.
func TestCountsThatWereRemoved(t *testing.T) {
	s, dir, _ := initialized(t)
	if err := os.Remove(countsPath(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckPIN(store.NormalUser, userPIN); err == nil {
		t.Error("the right PIN is right without a count")
	}
	if _, err := open(t, dir).CheckPIN(store.NormalUser, userPIN); err != nil {
		t.Errorf("after the file was made again: %v", err)
	}
}

// A process that dies while it makes the file leaves one that is not whole.
func TestUnfinishedCounts(t *testing.T) {
	_, dir, _ := initialized(t)
	for _, content := range []string{"", "half a file"} {
		if err := errors.Join(os.Remove(countsPath(dir)), os.WriteFile(countsPath(dir)+".new", []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		unlock(t, s)
		if _, err := os.Stat(countsPath(dir) + ".new"); err == nil {
			t.Error("the unfinished file is still there")
		}
	}
}

// An attempt that is under way and may be taken back keeps nobody waiting, and is not seen.
func TestViewersDoNotWaitForAttempts(t *testing.T) {
	s, dir, _ := initialized(t)
	fail(t, s, 2)
	p := processtest.Start(t, "attempt and stop", dir)
	if got := p.Hear(); got != "under way" {
		t.Fatal(got)
	}
	for name, s := range map[string]*store.Store{"same": s, "new": open(t, dir)} {
		begin := time.Now()
		if got := pinOf(t, s, store.NormalUser); got.Failures != 2 {
			t.Errorf("%s store, while an attempt is under way: %+v", name, got)
		}
		if lasted := time.Since(begin); lasted > time.Second {
			t.Errorf("%s store: Token took %v", name, lasted)
		}
	}
	p.Kill()
	for name, s := range map[string]*store.Store{"same": s, "new": open(t, dir)} {
		if got := pinOf(t, s, store.NormalUser); got.Failures != 3 {
			t.Errorf("%s store, after the process has died: %+v", name, got)
		}
	}
	unlock(t, s)
	if got := pinOf(t, s, store.NormalUser); got.Failures != 0 {
		t.Errorf("after the right PIN: %+v", got)
	}
}

// The mark of a dead process's attempt counts when the PIN is tried next, too.
func TestDeadAttemptsLock(t *testing.T) {
	s, dir, _ := initialized(t)
	fail(t, s, store.DefaultMaxFailures-1)
	p := processtest.Start(t, "attempt and stop", dir)
	if got := p.Hear(); got != "under way" {
		t.Fatal(got)
	}
	p.Kill()
	if _, err := s.CheckPIN(store.NormalUser, userPIN); !errors.Is(err, store.ErrPINLocked) {
		t.Errorf("the right PIN: %v, want ErrPINLocked", err)
	}
}

// What of one user is counted leaves that of the other alone.
func TestUsersAreCountedApart(t *testing.T) {
	s, dir, secret := initialized(t)
	if err := s.SetCheapPIN(store.SO, secret, soPIN); err != nil {
		t.Fatal(err)
	}
	fail(t, s, 4)
	for range 3 {
		if _, err := s.CheckPIN(store.SO, userPIN); !errors.Is(err, store.ErrPIN) {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	if user, so := pinOf(t, s, store.NormalUser).Failures, pinOf(t, s, store.SO).Failures; user != 4 || so != 3 {
		t.Errorf("%d and %d failures, want 4 and 3", user, so)
	}
	unlock(t, s)
	if user, so := pinOf(t, s, store.NormalUser).Failures, pinOf(t, s, store.SO).Failures; user != 0 || so != 3 {
		t.Errorf("%d and %d failures, want 0 and 3", user, so)
	}
}

// TestCountsAreInPlace: nothing grows by logging in.
func TestCountsAreInPlace(t *testing.T) {
	s, dir, _ := initialized(t)
	sizes := func() (all []syscall.Stat_t) {
		for _, name := range []string{"token.pins", "token.db", "token.db-wal"} {
			var stat syscall.Stat_t
			if err := syscall.Stat(filepath.Join(dir, name), &stat); err != nil {
				t.Fatal(err)
			}
			all = append(all, syscall.Stat_t{Ino: stat.Ino, Size: stat.Size, Blocks: stat.Blocks})
		}
		return all
	}
	before := sizes()
	for range 5 {
		fail(t, s, 2)
		unlock(t, s)
	}
	for i, after := range sizes() {
		if after != before[i] {
			t.Errorf("file %d was %+v and is %+v", i, before[i], after)
		}
	}
}

func TestGoroutinesTryPINs(t *testing.T) {
	s, _, _ := initialized(t)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 50 {
				if i == 0 {
					if got := pinOf(t, s, store.NormalUser); got.Failures != 0 {
						t.Errorf("between right PINs: %+v", got)
					}
				} else if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil {
					t.Errorf("the right PIN: %v", err)
				}
			}
		})
	}
	group.Wait()
}

// What a login costs besides the key of the PIN.
func BenchmarkAttempt(b *testing.B) {
	s, _, _ := initialized(b)
	for b.Loop() {
		if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil {
			b.Fatal(err)
		}
	}
}
