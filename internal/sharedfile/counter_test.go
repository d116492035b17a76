// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCounterHasNoDescriptor checks that there is none that a host could close.
func TestCounterHasNoDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	open(t, path)
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); name == path+".gen" {
			t.Errorf("descriptor %s is open", e.Name())
		}
	}
}

// TestCounterOnTheDisk checks that the bytes of a counter that was made as a hole
// are on the disk before they are written to memory.
func TestCounterOnTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path+".gen", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path+".gen", 8); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, open(t, path))
	var stat unix.Stat_t
	if err := unix.Stat(path+".gen", &stat); err != nil || stat.Size != 8192 || stat.Blocks == 0 {
		t.Errorf("%d bytes, %d blocks, %v", stat.Size, stat.Blocks, err)
	}
}

// setCounter writes what version 0.1.0 knows of the counter.
func setCounter(t *testing.T, path string, version uint64) {
	t.Helper()
	file, err := os.OpenFile(path+".gen", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(binary.NativeEndian.AppendUint64(nil, version), 0); err != nil {
		t.Fatal(err)
	}
}

// TestOldCounter takes over the 8 bytes of version 0.1.0, also of one that died.
func TestOldCounter(t *testing.T) {
	for _, left := range []uint64{40, 41} {
		path := filepath.Join(t.TempDir(), "f")
		mustIncrement(t, open(t, path))
		if err := os.Remove(path + ".gen"); err != nil {
			t.Fatal(err)
		}
		setCounter(t, path, left)
		f := open(t, path)
		version, part := f.Version(), f.PartVersion(1)
		if version%2 != 0 || (left == 40) != (version == 40) || part != version {
			t.Errorf("%d was left: versions %d and %d", left, version, part)
		}
		c, err := f.Change(changeOf(0))
		if err != nil {
			t.Fatal(err)
		}
		if part := f.PartVersion(1); c.Before != version || part != c.Before {
			t.Errorf("%d was left: %v, the other part has version %d", left, c, part)
		}
	}
}

// TestChangeByOldRelease: a process of version 0.1.0 has the file open, too. It makes the
// counter odd for a change, under the exclusive lock, and tells no parts.
func TestChangeByOldRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	c, err := f.Change(changeOf(0))
	if err != nil {
		t.Fatal(err)
	}
	release, err := openLock(t, path+".lock").Exclusive(0)
	if err != nil {
		t.Fatal(err)
	}
	setCounter(t, path, c.After+1)
	if v, part := f.Version(), f.PartVersion(0); v != c.After || part != v {
		t.Errorf("in the middle of a change: versions %d and %d, want %d", v, part, c.After)
	}
	setCounter(t, path, c.After+2)
	release()
	if v := f.Version(); v != c.After+2 || f.PartVersion(0) != v || f.PartVersion(1) != v {
		t.Errorf("after it: versions %d, %d and %d, want %d", v, f.PartVersion(0), f.PartVersion(1), c.After+2)
	}
	if _, err := f.Change(changeOf(0)); err != nil {
		t.Fatal(err)
	}
	if v := f.PartVersion(1); v != c.After+2 {
		t.Errorf("after the next: the other part has version %d, want %d", v, c.After+2)
	}
}
