// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// changers are the ways to change a file.
var changers = map[string]func(*sharedfile.File, func(*sql.Tx) ([]int, error)) (sharedfile.Change, error){
	"Change": (*sharedfile.File).Change, "Release": (*sharedfile.File).Release, "Relaxed": (*sharedfile.File).Relaxed,
	"Erase": (*sharedfile.File).Erase,
	"Soon": func(f *sharedfile.File, fn func(*sql.Tx) ([]int, error)) (sharedfile.Change, error) {
		return f.Soon(time.Minute, fn)
	},
}

// TestEveryChangeIsSeen: by others at once, and after those that have it open are gone.
func TestEveryChangeIsSeen(t *testing.T) {
	for name, change := range changers {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f, g := open(t, path), open(t, path)
			before := g.Version()
			c, err := change(f, changeOf(1))
			if err != nil {
				t.Fatal(err)
			}
			if c.Before != before || c.After != g.Version() || g.PartVersion(1) != c.After || g.PartVersion(0) == c.After {
				t.Errorf("%v, another sees %d, before %d", c, g.Version(), before)
			}
			if n := mustCount(t, g); n != 1 {
				t.Errorf("another counts %d", n)
			}
			failure := errors.New("failure of the caller")
			if _, err := change(f, func(tx *sql.Tx) ([]int, error) { return nil, errors.Join(increment(tx), failure) }); !errors.Is(err, failure) {
				t.Errorf("a function that fails: %v", err)
			}
			mustIncrement(t, g)
			f.Close()
			g.Close()
			if n := mustCount(t, open(t, path)); n != 2 {
				t.Errorf("opened anew it counts %d, want 2", n)
			}
		})
	}
}

// TestSoonWaitsForNobody: a writer in a change keeps it from being made, and does not hold it up.
func TestSoonWaitsForNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, g := open(t, path), open(t, path)
	_, err := f.Change(func(tx *sql.Tx) ([]int, error) {
		_, err := g.Soon(0, changeOf(0))
		if !errors.Is(err, sharedfile.ErrBusy) {
			t.Errorf("beside another change: %v, want ErrBusy", err)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Soon(0, changeOf(0)); err != nil {
		t.Error(err)
	}
}

// TestRelaxedSurvivesKill: what a process has done so is there when it is killed.
func TestRelaxedSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	p := processtest.Start(t, "relax", path)
	for range 3 {
		p.Tell("go on")
		p.Hear()
	}
	p.Kill()
	if n := mustCount(t, f); n != 3 {
		t.Errorf("%d changes are left, want 3", n)
	}
}

// TestSyncAfterRelaxed: a change that waits for the disk does so after one that did not.
func TestSyncAfterRelaxed(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
	for name, change := range changers {
		if _, err := change(f, changeOf(0)); err != nil {
			t.Fatal(err)
		}
		if level, err := f.Synchronous(); err != nil || level != 2 {
			t.Errorf("after %s: synchronous is %d, %v, want 2", name, level, err)
		}
	}
}

// TestSyncAfterPanic: a change waits for the disk also after one that did not, and ended in a
// panic, or could not be made strict again.
func TestSyncAfterPanic(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
	level := func(tx *sql.Tx) (now int) {
		if err := tx.QueryRow("PRAGMA synchronous").Scan(&now); err != nil {
			t.Error(err)
		}
		return now
	}
	strict := func(after string) {
		_, err := f.Change(func(tx *sql.Tx) ([]int, error) {
			if now := level(tx); now != 2 {
				t.Errorf("after %s: synchronous is %d, want 2", after, now)
			}
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	for name, change := range changers {
		func() {
			defer func() { _ = recover() }()
			_, _ = change(f, func(*sql.Tx) ([]int, error) { panic("fault") })
		}()
		if now, err := f.Synchronous(); err != nil || now != 2 {
			t.Errorf("after a panic in %s: synchronous is %d, %v, want 2", name, now, err)
		}
		strict("a panic in " + name)
	}
	if err := f.StayRelaxed(); err != nil {
		t.Fatal(err)
	}
	strict("a change that could not be made strict again")
	if _, err := f.Relaxed(func(tx *sql.Tx) ([]int, error) {
		if now := level(tx); now != 1 {
			t.Errorf("in Relaxed: synchronous is %d, want 1", now)
		}
		return nil, nil
	}); err != nil {
		t.Error(err)
	}
}

// TestEraseLeavesNothing: what was deleted is in neither file, also when a reader comes and
// goes; while he stays, it is there, and gone with the next change.
func TestEraseLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	mustUpdate(t, f, "CREATE TABLE texts (text TEXT); INSERT INTO texts VALUES ('a secret that is to go')")
	erase := func(tx *sql.Tx) ([]int, error) {
		_, err := tx.Exec("DELETE FROM texts")
		return nil, err
	}
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- open(t, path).View(func(*sql.Tx) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	if _, err := f.Erase(erase); err != nil {
		t.Fatal(err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	for _, name := range []string{path, path + "-wal"} {
		text, err := os.ReadFile(name)
		if err != nil || bytes.Contains(text, []byte("a secret that is to go")) {
			t.Errorf("%s has what was erased, or %v", filepath.Base(name), err)
		}
	}
}
