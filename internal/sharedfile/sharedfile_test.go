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

func TestChangeTellsTheVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, g := open(t, path), open(t, path)
	before := f.Version()
	first, err := f.Change(change)
	if err != nil {
		t.Fatal(err)
	}
	if first.Before != before || first.After != f.Version() || first.After == before {
		t.Errorf("Change is %v, Version was %d and is %d", first, before, f.Version())
	}
	mustIncrement(t, g)
	if second, err := f.Change(change); err != nil || second.Before == first.After {
		t.Errorf("Change after another's: %v, %v, but it was not noticed", second, err)
	}
}

// TestPurge deletes what others still have in their log.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	f, g := open(t, filepath.Join(dir, "f")), open(t, filepath.Join(dir, "f"))
	const deleted = "what is to be gone for good"
	for _, statement := range []string{
		"CREATE TABLE purged (text TEXT)", "INSERT INTO purged VALUES ('" + deleted + "')", "DELETE FROM purged",
	} {
		err := f.Update(func(tx *sql.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !inFiles(t, dir, deleted) {
		t.Error("the log does not hold what was deleted: the test shows nothing")
	}
	mustCount(t, g)
	if err := g.Purge(); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, dir, deleted) {
		t.Error("what was deleted is still there")
	}
	mustIncrement(t, f)
	if n := mustCount(t, g); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func inFiles(t *testing.T, dir, text string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), text) {
			return true
		}
	}
	return false
}

func TestFailedUpdateChangesNothing(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
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
	f := open(t, filepath.Join(t.TempDir(), "f"))
	func() {
		defer func() { recover() }()
		f.Update(func(tx *sql.Tx) error { panic(increment(tx)) })
	}()
	mustIncrement(t, f)
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func TestViewCannotChange(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
	if err := f.View(increment); err != nil {
		t.Fatal(err)
	}
	if n := mustCount(t, f); n != 0 {
		t.Errorf("counter is %d, want 0", n)
	}
}

func TestGoroutinesShareAFile(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
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
	path := filepath.Join(t.TempDir(), "f")
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
		path := filepath.Join(t.TempDir(), "f")
		f, err := sharedfile.Open(path, sharedfile.Options{Schema: schema, Mode: mode, Group: os.Getegid()})
		if err != nil {
			t.Fatal(err)
		}
		mustIncrement(t, f)
		for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".gen"} {
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
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sharedfile.Open(path, options())
	if !errors.Is(err, sharedfile.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v, want ErrCorrupt with the path", err)
	}
}

func TestUnknownFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	err := f.Update(func(tx *sql.Tx) error {
		_, err := tx.Exec("PRAGMA user_version = 2")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := sharedfile.Open(path, options()); !errors.Is(err, sharedfile.ErrFormat) {
		t.Errorf("Open: %v, want ErrFormat", err)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	impatient := options()
	impatient.Wait = time.Millisecond
	g, err := sharedfile.Open(path, impatient)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	err = f.Update(func(*sql.Tx) error {
		if _, err := count(g); !errors.Is(err, sharedfile.ErrBusy) {
			t.Errorf("View: %v, want ErrBusy", err)
		}
		return g.Update(increment)
	})
	if !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("Update: %v, want ErrBusy", err)
	}
}

func TestClosed(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "f"))
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
