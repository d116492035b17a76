// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/processtest"
)

// checkIndex fails the test unless the log's index has so many bytes, and all of them on
// the disk: a hole in it would fault once the disk is full.
func checkIndex(t *testing.T, path string, size int64) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Stat(path+"-shm", &stat); err != nil || stat.Size != size || stat.Blocks*512 < size {
		t.Errorf("the index has %d bytes in %d blocks, want %d bytes: %v", stat.Size, stat.Blocks, size, err)
	}
}

func TestIndexHasNoHoles(t *testing.T) {
	f, path := openNew(t)
	checkIndex(t, path, 1<<15)
	mustIncrement(t, f)
	f.Close()
	if err := os.Truncate(path+"-shm", 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path+"-shm", 1<<20); err != nil {
		t.Fatal(err)
	}
	f = open(t, path)
	checkIndex(t, path, 1<<15)
	if n := mustCount(t, f); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
	g := open(t, path)
	err := f.View(func(tx *sql.Tx) error { // which keeps the log from being emptied
		mustUpdate(t, g, "CREATE TABLE big (b); INSERT INTO big VALUES (zeroblob(12000000))")
		checkIndex(t, path, 1<<16)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestIndexOfAPowerFailure: what the first user finds there may be anything.
func TestIndexOfAPowerFailure(t *testing.T) {
	path := newPath(t)
	p := processtest.Start(t, "insert", path)
	for range 3 {
		p.Tell("insert")
		p.Hear()
	}
	index, err := os.ReadFile(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		p.Tell("insert")
		p.Hear()
	}
	p.Kill() // so that the log is not in the file
	if err := os.WriteFile(path+"-shm", index, 0o600); err != nil {
		t.Fatal(err)
	}
	checkRows(t, open(t, path), 6)
}

// TestIndexBesideUsers: a process that opens the file and closes it leaves the index to those
// who use it.
func TestIndexBesideUsers(t *testing.T) {
	f, path := openNew(t)
	if err := dropLocks(path); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	before, err := os.ReadFile(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "look", path)
	p.Tell("look")
	p.Hear()
	after, err := os.ReadFile(path + "-shm")
	if err != nil {
		t.Fatal(err)
	}
	const header = 48 // which SQLite makes another of when it makes the index anew
	if !bytes.Equal(before[:header], after[:header]) {
		t.Error("the index has been made anew beside a user")
	}
}

// TestIndexMadeLonger: somebody makes the index as long as a disk, which takes no time, and has
// the files opened anew. Nobody writes so many zeros, also where the index has users.
func TestIndexMadeLonger(t *testing.T) {
	for _, idle := range []bool{false, true} {
		f, path := openNew(t)
		mustIncrement(t, f)
		if idle {
			p := processtest.Start(t, "look", path)
			p.Tell("look")
			p.Hear()
		}
		if err := errors.Join(os.Truncate(path+"-shm", 1<<40), os.Remove(path+".gen")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // after which a reader looks again
		if n := mustCount(t, f); n != 1 {
			t.Errorf("counter is %d, want 1", n)
		}
		mustIncrement(t, f)
		checkIndex(t, path, 1<<15)
	}
}
