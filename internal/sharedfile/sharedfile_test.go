// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"libzk_pkcs11/internal/sharedfile"
)

func TestUpdateIsSeenByView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "name with ? # % and spaces")
	mustIncrement(t, open(t, path))
	if n := mustCount(t, open(t, path)); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func TestFailedUpdateChangesNothing(t *testing.T) {
	f, _ := openNew(t)
	failure := errors.New("failure of the caller")
	err := f.Update(func(tx *sql.Tx) error { return errors.Join(increment(tx), failure) })
	if !errors.Is(err, failure) {
		t.Errorf("Update: %v, want the caller's error", err)
	}
	if n := mustCount(t, f); n != 0 {
		t.Errorf("counter is %d, want 0", n)
	}
}

func TestPanicInUpdateReleasesTheFile(t *testing.T) {
	f, _ := openNew(t)
	func() {
		defer func() { recover() }()
		f.Update(func(tx *sql.Tx) error { panic(increment(tx)) })
	}()
	mustIncrement(t, f)
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func TestGoroutinesShareAFile(t *testing.T) {
	f, _ := openNew(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if err := f.Update(increment); err != nil {
					t.Error(err)
				}
				f.Version()
			}
		})
	}
	group.Wait()
	if n := mustCount(t, f); n != 160 {
		t.Errorf("counter is %d, want 160", n)
	}
}

func TestTwoFilesInOneProcess(t *testing.T) {
	path := newPath(t)
	a := open(t, path)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			b, err := sharedfile.Open(path, options())
			if err != nil {
				t.Error(err)
				return
			}
			b.Close()
		}
	}()
	for range 100 {
		mustIncrement(t, a)
	}
	<-done
	if n := mustCount(t, open(t, path)); n != 100 {
		t.Errorf("counter is %d, want 100", n)
	}
}

func TestModeOfFiles(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o660} {
		path := newPath(t)
		f, err := sharedfile.Open(path, sharedfile.Options{Schema: schema, Mode: mode, Group: os.Getegid()})
		if err != nil {
			t.Fatal(err)
		}
		mustIncrement(t, f)
		for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".write", ".gen", ".room"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != mode {
				t.Errorf("mode of %s is %v, want %v", info.Name(), info.Mode(), mode)
			}
		}
		f.Close()
	}
}

func TestDamagedFile(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sharedfile.Open(path, options())
	if !errors.Is(err, sharedfile.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v, want ErrCorrupt with the path", err)
	}
}

func TestClosed(t *testing.T) {
	f, _ := openNew(t)
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := f.Update(increment); err == nil {
		t.Error("Update of a closed file succeeded")
	}
	if _, err := count(f); err == nil {
		t.Error("View of a closed file succeeded")
	}
	f.Version() // must not touch unmapped memory
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	f := open(t, path)
	mustIncrement(t, f)
	before := f.Version()
	if err := sharedfile.Remove(path, time.Minute); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if f.Version() == before {
		t.Error("Version has not changed")
	}
	if err := f.Update(increment); !errors.Is(err, sharedfile.ErrRemoved) {
		t.Errorf("Update: %v, want ErrRemoved", err)
	}
	if n := mustCount(t, open(t, path)); n != 0 {
		t.Errorf("counter of the new file is %d, want 0", n)
	}
	if err := sharedfile.Remove(filepath.Join(dir, "other"), time.Minute); err != nil {
		t.Errorf("Remove of nothing: %v", err)
	}
}
