// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sharedfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/descriptor"
	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// The race detector looks at memory in C, where a fault ends the process.

// TestReplaced: what is acknowledged is what others find, and nobody stays with a file
// that is not there any more.
func TestReplaced(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm", ".gen", ".lock", ".write", ".room"} {
		for name, change := range changes {
			t.Run(suffix+" "+name, func(t *testing.T) { checkReplaced(t, suffix, change) })
		}
	}
}

func checkReplaced(t *testing.T, suffix string, change func(string) error) {
	path := newPath(t)
	f, other := open(t, path), open(t, path)
	mustIncrement(t, f)
	version := other.Version()
	if suffix == "-wal" { // what SQLite knows of a log it knows once in a process
		other.Close()
		other = f
	}
	if err := change(path + suffix); err != nil {
		t.Fatal(err)
	}
	failed := f.Update(increment)
	before, err := count(f)
	if failed == nil && (err != nil || before > 2) {
		t.Errorf("counter is %d, was 1: %v", before, err)
	}
	for range 3 {
		if f.Update(increment) == nil && failed == nil {
			before++
		}
	}
	for who, file := range map[string]*sharedfile.File{"the one that has changed it": f, "another": other} {
		if n, err := count(file); failed == nil && (err != nil || n != before) {
			t.Errorf("counter is %d for %s, want %d: %v", n, who, before, err)
		}
	}
	g, err := sharedfile.Open(path, options())
	if err != nil && failed == nil {
		t.Fatal(err)
	}
	defer g.Close()
	if failed != nil {
		return
	}
	if n := mustCount(t, g); n != before {
		t.Errorf("counter is %d for one that opens it now, want %d", n, before)
	}
	if v := other.Version(); suffix != ".room" && v <= version {
		t.Errorf("version is %d, was %d", v, version)
	}
}

// TestDatabaseIsBack: a database that is gone is not made anew by one that had it open, and the
// one that is put in its place is taken.
func TestDatabaseIsBack(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"Update": f.Update(increment), "View": f.View(increment), "Purge": f.Purge()} {
		if !errors.Is(err, sharedfile.ErrRemoved) || !errors.Is(err, sharedfile.ErrReplaced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it was made anew")
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	if n := mustCount(t, open(t, path)); n != 2 {
		t.Errorf("counter is %d, want 2", n)
	}
}

// TestEmptiedDatabase: SQLite would make a new one of it, and delete the log.
func TestEmptiedDatabase(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Update(increment); !errors.Is(err, sharedfile.ErrReplaced) {
		t.Errorf("Update: %v", err)
	}
	if _, err := sharedfile.Open(path, options()); !errors.Is(err, sharedfile.ErrMissing) {
		t.Errorf("Open: %v", err)
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		t.Errorf("its log is gone: %v", err)
	}
}

// TestDamagedLog: nothing of it is copied into the database.
func TestDamagedLog(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"cut":     func(path string) error { return os.Truncate(path, 0) },
		"cut off": func(path string) error { return os.Truncate(path, 5000) },
		"zeros": func(path string) error {
			stat, err := os.Stat(path)
			return errors.Join(err, os.Truncate(path, 0), os.Truncate(path, stat.Size()))
		},
		"a flipped bit": func(path string) error {
			b, err := os.ReadFile(path)
			b[3000] ^= 1
			return errors.Join(err, overwrite(path, b))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			f := open(t, path)
			if err := f.Purge(); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				mustIncrement(t, f)
			}
			database, err := os.ReadFile(path)
			log, err2 := os.ReadFile(path + "-wal")
			if err := errors.Join(err, err2, damage(path+"-wal")); err != nil {
				t.Fatal(err)
			}
			if err := f.Purge(); !errors.Is(err, sharedfile.ErrCorrupt) {
				t.Errorf("Purge: %v", err)
			}
			if name != "a flipped bit" { // which is seen when the log is copied
				if err := f.Update(increment); !errors.Is(err, sharedfile.ErrCorrupt) {
					t.Errorf("Update: %v", err)
				}
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, database) {
				t.Errorf("the database has changed, %v", err)
			}
			if err := overwrite(path+"-wal", log); err != nil {
				t.Fatal(err)
			}
			if n := mustCount(t, f); n != 5 {
				t.Errorf("counter is %d, want 5", n)
			}
			mustIncrement(t, f)
		})
	}
}

func overwrite(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	return errors.Join(err, file.Close())
}

// TestCounterPutBack: a counter that tells less than before is one from a backup.
func TestCounterPutBack(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	old, err := os.ReadFile(path + ".gen")
	if err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	version, part := f.Version(), f.PartVersion(1)
	if err := overwrite(path+".gen", old); err != nil {
		t.Fatal(err)
	}
	if f.Version() == version {
		t.Error("Version has not changed")
	}
	mustIncrement(t, f)
	if v := f.Version(); v <= version || f.PartVersion(1) <= part {
		t.Errorf("versions %d and %d, were %d and %d", v, f.PartVersion(1), version, part)
	}
}

// TestVersionsGoOn: they are greater than what a change was told, also if nobody has read it.
func TestVersionsGoOn(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	for range 10 {
		c, err := f.Change(changeOf(0))
		if err := errors.Join(err, os.Remove(path+".gen")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // after which a reader looks again
		mustCount(t, f)
		if v := f.Version(); v <= c.After || f.PartVersion(0) <= c.After {
			t.Errorf("Change has told %d, versions are %d and %d", c.After, v, f.PartVersion(0))
		}
	}
}

// TestDeletedCounter: a process that only reads versions notices, too.
func TestDeletedCounter(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	version := f.Version()
	if err := os.Remove(path + ".gen"); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, open(t, path))
	for deadline := time.Now().Add(10 * time.Second); f.Version() == version; {
		if time.Now().After(deadline) {
			t.Fatal("Version has not changed")
		}
	}
	if n := mustCount(t, f); n != 2 {
		t.Errorf("counter is %d, want 2", n)
	}
}

// TestVersionsOfBrokenFile: no two versions are the same while nobody can tell whether the
// file has changed, so that nothing that was read passes for what is there now.
func TestVersionsOfBrokenFile(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	told := map[uint64]bool{}
	for range 3 {
		if err := os.Truncate(path+".gen", 0); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for _, version := range []uint64{f.Version(), f.PartVersion(0)} {
				if told[version] {
					t.Errorf("version %d is told again", version)
				}
				told[version] = true
			}
		}
		mustCount(t, f) // opens it anew
	}
}

// TestLogPutBackBesideIdle: a process that does nothing has the index of another log.
func TestLogPutBackBesideIdle(t *testing.T) {
	for _, counter := range []string{"known", "deleted"} {
		t.Run("counter "+counter, func(t *testing.T) { checkLogPutBack(t, counter == "deleted") })
	}
}

func checkLogPutBack(t *testing.T, deleted bool) {
	path := newPath(t)
	f := open(t, path)
	idle := processtest.Start(t, "look", path)
	for range 3 {
		mustIncrement(t, f)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		mustIncrement(t, f)
	}
	idle.Tell("look")
	idle.Hear()
	if err := errors.Join(f.Close(), os.WriteFile(path+"-wal.copy", log, 0o600), os.Rename(path+"-wal.copy", path+"-wal")); err != nil {
		t.Fatal(err)
	}
	if deleted {
		if err := os.Remove(path + ".gen"); err != nil {
			t.Fatal(err)
		}
	}
	f = open(t, path)
	before := mustCount(t, f)
	mustIncrement(t, f)
	idle.Tell("look")
	if got, want := idle.Hear(), fmt.Sprintf(" %d <nil>", before+1); !strings.HasSuffix(got, want) {
		t.Errorf("the idle process sees %q, want %q", got, want)
	}
	mustIncrement(t, f)
	if n := mustCount(t, f); n != before+2 {
		t.Errorf("counter is %d, want %d", n, before+2)
	}
}

// TestJournal: one that somebody lays beside the file is not played back into it.
func TestJournal(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err := errors.Join(err, os.WriteFile(path+"-journal", []byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		o := options()
		o.ReadOnly = readOnly
		if _, err := sharedfile.Open(path, o); !errors.Is(err, sharedfile.ErrRefused) {
			t.Errorf("Open, read only %v: %v, want ErrRefused", readOnly, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file has changed: %v", err)
	}
	if err := os.Remove(path + "-journal"); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, open(t, path))
}

// TestJournalOfMaker: a journal is no fault while somebody who may be making it is alone in the file.
func TestJournalOfMaker(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	if err := errors.Join(f.Close(), os.WriteFile(path+"-journal", []byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), 0o600)); err != nil {
		t.Fatal(err)
	}
	finish, err := openLock(t, path+".lock").Exclusive(0)
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Wait = 10 * time.Millisecond
	if _, err := sharedfile.Open(path, o); !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("Open beside its maker: %v, want ErrBusy", err)
	}
	if err := os.Remove(path + "-journal"); err != nil {
		t.Fatal(err)
	}
	finish()
	mustIncrement(t, open(t, path))
}

// TestTraps: none of the files is opened through a link, nor when it is no file.
func TestTraps(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".gen", ".lock", ".write", ".room"} {
		for name, set := range map[string]func(path, victim string) error{
			"link": func(path, victim string) error { return os.Symlink(victim, path) },
			"hard": func(path, victim string) error { return os.Link(victim, path) },
			"pipe": func(path, _ string) error { return unix.Mkfifo(path, 0o600) },
		} {
			for _, used := range []bool{false, true} {
				path := newPath(t)
				if used {
					open(t, path).Close()
					os.Remove(path + suffix)
				}
				victim := filepath.Join(t.TempDir(), "victim")
				if err := errors.Join(os.WriteFile(victim, nil, 0o600), set(path+suffix, victim)); err != nil {
					t.Fatal(err)
				}
				if _, err := sharedfile.Open(path, options()); !errors.Is(err, descriptor.ErrRefused) {
					t.Errorf("%s at %q: %v", name, suffix, err)
				}
				if stat, err := os.Stat(victim); err != nil || stat.Size() != 0 {
					t.Errorf("%s at %q: the victim has %d bytes, %v", name, suffix, stat.Size(), err)
				}
			}
		}
	}
}

// waitingOptions are those of a file whose first call that has to wait does something, once armed.
func waitingOptions(do *atomic.Pointer[func()]) sharedfile.Options {
	o := options()
	o.Process.Pause = func(d time.Duration) {
		if act := do.Swap(nil); act != nil {
			(*act)()
		}
		time.Sleep(d)
	}
	return o
}

// TestDatabaseGoneWhileWaiting: a process that has waited for the lock looks again before anything
// is made or removed. An administrator is putting a backup back, its log first.
func TestDatabaseGoneWhileWaiting(t *testing.T) {
	for name, call := range map[string]func(path string, f *sharedfile.File, o sharedfile.Options) error{
		"opened anew": func(path string, f *sharedfile.File, _ sharedfile.Options) error { return f.View(increment) },
		"opened": func(path string, f *sharedfile.File, o sharedfile.Options) error {
			o.Existing = true
			_, err := sharedfile.Open(path, o)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			var do atomic.Pointer[func()]
			o := waitingOptions(&do)
			f := openWith(t, path, o)
			mustIncrement(t, f)
			p := processtest.Start(t, "stay in view", path)
			p.Hear()
			if err := os.Remove(path + ".gen"); err != nil {
				t.Fatal(err)
			}
			act := func() {
				if err := os.Remove(path); err != nil {
					t.Error(err)
				}
				p.Tell("leave")
			}
			do.Store(&act)
			if err := call(path, f, o); !errors.Is(err, sharedfile.ErrRemoved) && !errors.Is(err, sharedfile.ErrMissing) {
				t.Errorf("%v, want ErrRemoved or ErrMissing", err)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("the database was made anew")
			}
			if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
				t.Errorf("its log is gone: %v", err)
			}
		})
	}
}
