// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// queued has callers that come at the same time call one after another, as threads do that
// wait for one lock, and returns how long the last one took. Each has to get the error.
func queued(t *testing.T, call func() error, want error) time.Duration {
	t.Helper()
	var lock sync.Mutex
	var group sync.WaitGroup
	start := time.Now()
	for range callers {
		group.Go(func() {
			lock.Lock()
			defer lock.Unlock()
			if err := call(); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

// standing are the ways in which others keep a call waiting.
var standing = []struct {
	name string
	hold func(t *testing.T, path string) (release func())
	call func(*sharedfile.File) error
}{
	{"a writer is stopped in its change", stoppedIn("stay in update"), func(f *sharedfile.File) error { return f.Update(increment) }},
	{"a writer is stopped before its change", heldBy(".write"), func(f *sharedfile.File) error { return f.Update(increment) }},
	{"a process is stopped alone in the file", heldBy(".lock"), func(f *sharedfile.File) error { return f.Update(increment) }},
	{"a process is stopped alone in the file, for a reader", heldBy(".lock"), func(f *sharedfile.File) error {
		_, err := count(f)
		return err
	}},
	{"another program writes", heldBySQLite, func(f *sharedfile.File) error { return f.Update(increment) }},
}

func stoppedIn(role string) func(*testing.T, string) func() {
	return func(t *testing.T, path string) func() {
		t.Helper()
		p := processtest.Start(t, role, path)
		p.Hear()
		p.Stop()
		return func() {
			p.Continue()
			p.Tell("go on")
			if err := p.End(); err != nil {
				t.Error(err)
			}
		}
	}
}

func heldBy(suffix string) func(*testing.T, string) func() {
	return func(t *testing.T, path string) func() {
		t.Helper()
		release, err := openLock(t, path+suffix).Exclusive(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
}

// heldBySQLite is a transaction of somebody who knows of no locks but SQLite's.
func heldBySQLite(t *testing.T, path string) func() {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		_, err := db.Exec("ROLLBACK")
		if err := errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestWaitsDoNotAddUp: callers that wait for a lock of their own are told as soon as the
// first of them has waited in vain. When the others go on, all works at once.
func TestWaitsDoNotAddUp(t *testing.T) {
	const wait = 500 * time.Millisecond
	for _, s := range standing {
		t.Run(s.name, func(t *testing.T) {
			path := newPath(t)
			f := openWaiting(t, path, wait)
			mustIncrement(t, f)
			release := s.hold(t, path)
			took := queued(t, func() error { return s.call(f) }, sharedfile.ErrBusy)
			t.Logf("%d callers with a wait of %v: the last was told after %v", callers, wait, took)
			if took < wait || took > callers/2*wait {
				t.Errorf("%d callers with a wait of %v: the last was told after %v", callers, wait, took)
			}
			release()
			for range 3 {
				queued(t, func() error { return s.call(f) }, nil)
			}
		})
	}
}

// TestStandstillEnds: once another writer has got through, a call waits for the next one
// as long as any does, whatever calls have waited in vain before.
func TestStandstillEnds(t *testing.T) {
	path := newPath(t)
	f := openWaiting(t, path, 2*time.Second)
	stopped := stoppedIn("stay in update")(t, path)
	queued(t, func() error { return f.Update(increment) }, sharedfile.ErrBusy)
	stopped()
	next := processtest.Start(t, "stay in update", path)
	next.Hear()
	updated := make(chan error)
	go func() { updated <- f.Update(increment) }()
	time.Sleep(50 * time.Millisecond) // far longer than a standstill would let it wait
	next.Tell("go on")
	if err := <-updated; err != nil {
		t.Errorf("beside a writer that has just begun: %v", err)
	}
	if n := mustCount(t, f); n != 3 {
		t.Errorf("counter is %d, want 3", n)
	}
}

// TestStandstillEndsByDeath: those who find a dead writer together all get through, also
// while one of them repairs.
func TestStandstillEndsByDeath(t *testing.T) {
	path := newPath(t)
	f := openWaiting(t, path, time.Second)
	for range 5 {
		p := processtest.Start(t, "stay in update", path)
		p.Hear()
		if err := f.Update(increment); !errors.Is(err, sharedfile.ErrBusy) {
			t.Fatalf("%v, want ErrBusy", err)
		}
		p.Kill()
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				if err := f.Update(increment); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if n := mustCount(t, f); n != 5*callers {
		t.Errorf("counter is %d, want %d", n, 5*callers)
	}
}

// TestWhoWaitsGoesOn: a call that waits already when another one has waited in vain has all
// of its own time.
func TestWhoWaitsGoesOn(t *testing.T) {
	const wait = 2 * time.Second
	path := newPath(t)
	f := openWaiting(t, path, wait)
	release := heldBy(".write")(t, path)
	first, second := make(chan error), make(chan error)
	go func() { first <- f.Update(increment) }()
	time.Sleep(wait / 2)
	go func() { second <- f.Update(increment) }()
	if err := <-first; !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("the first call: %v, want ErrBusy", err)
	}
	release()
	if err := <-second; err != nil {
		t.Errorf("the second call: %v", err)
	}
}

// TestWaitsForALockDoNotAddUp: the same for a lock that belongs to no file.
func TestWaitsForALockDoNotAddUp(t *testing.T) {
	const wait = 500 * time.Millisecond
	path := filepath.Join(t.TempDir(), "lock")
	lock, holder := openLock(t, path), openLock(t, path)
	for name, take := range map[string]take{"Exclusive": (*sharedfile.Lock).Exclusive, "Shared": (*sharedfile.Lock).Shared} {
		t.Run(name, func(t *testing.T) {
			held, err := holder.Exclusive(0)
			if err != nil {
				t.Fatal(err)
			}
			call := func() error {
				release, err := take(lock, wait)
				if err == nil {
					release()
				}
				return err
			}
			if took := queued(t, call, sharedfile.ErrBusy); took > callers/2*wait {
				t.Errorf("%d callers with a wait of %v: the last was told after %v", callers, wait, took)
			}
			held()
			queued(t, call, nil)
		})
	}
}
