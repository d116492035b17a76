// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestChangeLooksWithItsLock: what was seen before does not do.
func TestChangeLooksWithItsLock(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	f.JustLooked()
	if err := os.Remove(path + ".gen"); err != nil {
		t.Fatal(err)
	}
	err := f.Update(func(*sql.Tx) error {
		t.Error("the change has begun")
		return nil
	})
	if !errors.Is(err, sharedfile.ErrReplaced) {
		t.Errorf("Update: %v, want ErrReplaced", err)
	}
	mustIncrement(t, f)
}

// TestNobodyBelievesALookUnderWay: somebody who reads the version has begun to look, and does
// not know yet what there is.
func TestNobodyBelievesALookUnderWay(t *testing.T) {
	path := newPath(t)
	var underWay func()
	o := options()
	o.Process.Cuts = func() uint64 { // which is asked for in each look
		if do := underWay; do != nil {
			underWay = nil
			do()
		}
		return 0
	}
	f := openWith(t, path, o)
	mustIncrement(t, f)
	time.Sleep(20 * time.Millisecond) // after which a call that reads the version looks
	looked := false
	underWay = func() {
		looked = true
		if err := os.Remove(path + ".gen"); err != nil {
			t.Error(err)
		}
		mustCount(t, f)
		if _, err := os.Stat(path + ".gen"); err != nil {
			t.Errorf("the files were not opened anew: %v", err)
		}
	}
	f.Version()
	if !looked {
		t.Error("nobody has looked")
	}
}

// TestReplacedAllTheTime: a call ends, though the files are others each time that it looks.
func TestReplacedAllTheTime(t *testing.T) {
	cuts := uint64(0)
	o := options()
	o.Wait = 20 * time.Millisecond
	o.Process.Cuts = func() uint64 {
		cuts++
		return cuts
	}
	f := openWith(t, newPath(t), o)
	if _, err := count(f); !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("View: %v, want ErrBusy", err)
	}
}

// changes are what happens to a file under those who have it open.
var changes = map[string]func(path string) error{
	"deleted": os.Remove,
	"replaced by a copy": func(path string) error {
		b, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path+".copy", b, 0o600), os.Rename(path+".copy", path))
	},
	"replaced by an empty one": func(path string) error {
		return errors.Join(os.WriteFile(path+".copy", nil, 0o600), os.Rename(path+".copy", path))
	},
}

// TestLogReplacedWhileOpened: SQLite opens another log than the one that is locked. The opening
// fails, and leaves nothing open behind somebody who stays in the file.
func TestLogReplacedWhileOpened(t *testing.T) {
	path := newPath(t)
	p := processtest.Start(t, "stay in view", path)
	p.Hear()
	replaced := false
	o := options()
	o.Process.Pause = func(time.Duration) { t.Error("it waits") }
	o.Process.GiveUp = func(uint64, uint64) {}
	o.Process.ForkGuard = func(fd int) func() {
		if name, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); name == path+"-wal" && !replaced {
			replaced = true
			if err := changes["replaced by a copy"](path + "-wal"); err != nil {
				t.Error(err)
			}
		}
		return func() {}
	}
	f, err := sharedfile.Open(path, o)
	if !errors.Is(err, sharedfile.ErrReplaced) || !replaced {
		t.Errorf("Open: %v, want ErrReplaced", err)
		f.Close()
	}
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if to, _ := os.Readlink(name); len(to) >= len(path) && to[:len(path)] == path {
			t.Errorf("%s is still open", to)
		}
	}
	if err := p.End(); err != nil {
		t.Error(err)
	}
	mustIncrement(t, open(t, path))
}

// TestPatienceOfWhoOpensAnew: it is that of the call, and what a call has found out by waiting in
// vain holds for those that come after it.
func TestPatienceOfWhoOpensAnew(t *testing.T) {
	path := newPath(t)
	waited := time.Duration(0)
	o := options()
	o.Wait = time.Second
	o.Process.Pause = func(d time.Duration) {
		waited += d
		time.Sleep(d)
	}
	f := openWith(t, path, o)
	mustIncrement(t, f)
	p := processtest.Start(t, "stay in view", path)
	p.Hear()
	if err := os.Remove(path + ".gen"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // after which a reader looks again
	for _, call := range []struct {
		name string
		view func(func(*sql.Tx) error) error
		most time.Duration
	}{
		{"Glance", f.Glance, 100 * time.Millisecond}, {"View", f.View, 3 * time.Second / 2},
		{"the next", f.View, 100 * time.Millisecond}, {"the one after it", f.View, 100 * time.Millisecond},
	} {
		waited = 0
		if err := call.view(increment); !errors.Is(err, sharedfile.ErrBusy) {
			t.Errorf("%s: %v, want ErrBusy", call.name, err)
		}
		if waited > call.most {
			t.Errorf("%s has waited %v, want at most %v", call.name, waited, call.most)
		}
	}
	if err := p.End(); err != nil {
		t.Error(err)
	}
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}
