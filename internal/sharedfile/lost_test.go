// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/sharedfile"
)

// takeOver makes the descriptor of path that of a file of the host, whose path it
// returns.
func takeOver(t *testing.T, path string) string {
	t.Helper()
	hosts := filepath.Join(t.TempDir(), "host")
	fd, err := unix.Open(hosts, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	number := descriptorOf(t, path)
	if err := unix.Dup3(fd, number, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(unix.Close(number), unix.Close(fd)); err != nil {
			t.Errorf("the host's descriptor: %v", err)
		}
		if b, err := os.ReadFile(hosts); err != nil || len(b) != 0 {
			t.Errorf("the host's file holds %x, %v", b, err)
		}
	})
	return hosts
}

func descriptorOf(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); name == path {
			n, err := strconv.Atoi(e.Name())
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s is not open", path)
	return -1
}

func TestLostLock(t *testing.T) {
	t.Run(".lock", func(t *testing.T) { checkLostLock(t, ".lock", sharedfile.ErrLost) })
	t.Run(".write", func(t *testing.T) { checkLostLock(t, ".write", nil) }) // which no reader needs
}

func checkLostLock(t *testing.T, lock string, view error) {
	f, path := openNew(t)
	mustIncrement(t, f)
	version := f.Version()
	takeOver(t, path+lock)
	for name, err := range map[string]error{"Update": f.Update(increment), "Purge": f.Purge()} {
		if !errors.Is(err, sharedfile.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := count(f); !errors.Is(err, view) {
		t.Errorf("View: %v, want %v", err, view)
	}
	if v := f.Version(); v != version {
		t.Errorf("Version is %d, was %d", v, version)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if n := mustCount(t, open(t, path)); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

// TestNotIntact has a process say that SQLite's descriptors are not its own.
func TestNotIntact(t *testing.T) {
	path := newPath(t)
	intact := true
	o := options()
	o.Process.Intact = func() bool { return intact }
	f, err := sharedfile.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	intact = false
	for name, err := range map[string]error{
		"Update": f.Update(increment), "View": f.View(increment), "Purge": f.Purge(),
	} {
		if !errors.Is(err, sharedfile.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	mustIncrement(t, open(t, path)) // and nobody has kept the lock
}
