// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestWithoutRecordLocks takes SQLite's own locks away, again and again, as a second copy
// of SQLite in the process does: processes read, write, purge, open and close, and some
// are killed. Nobody sees half a change, and none is lost.
func TestWithoutRecordLocks(t *testing.T) {
	const processes, rounds = 4, 30
	f, path := openNew(t)
	mustUpdate(t, f, "CREATE TABLE twin (n INTEGER NOT NULL); INSERT INTO twin VALUES (0)")
	var running []*processtest.Process
	for range processes {
		p := processtest.Start(t, "without record locks", path)
		p.Tell(strconv.Itoa(rounds))
		running = append(running, p)
	}
	for range 5 {
		p := processtest.Start(t, "without record locks", path)
		p.Tell("1000000")
		p.Hear()
		p.Kill()
	}
	for _, p := range running {
		p.Hear()
		if err := p.End(); err != nil {
			t.Error(err)
		}
	}
	n, err := twins(f)
	if err != nil || n < processes*rounds {
		t.Errorf("counter is %d, want at least %d: %v", n, processes*rounds, err)
	}
	checkRows(t, f, n)
}

// twins returns the counter, which has to have its twin and as many rows, also some time
// later.
func twins(f *sharedfile.File) (n int, err error) {
	err = f.View(func(tx *sql.Tx) error {
		for _, column := range []string{"SELECT n FROM counter", "SELECT n FROM twin", "SELECT count(*) FROM rows"} {
			var m int
			if err := tx.QueryRow(column).Scan(&m); err != nil {
				return err
			}
			if column == "SELECT n FROM counter" {
				n = m
			}
			if m != n {
				return fmt.Errorf("half a change: %d after %d by %s", m, n, column)
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	return n, err
}

func incrementTwins(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE counter SET n = n + 1; UPDATE twin SET n = n + 1;
		INSERT INTO rows SELECT coalesce(max(n), 0) + 1 FROM rows`)
	return err
}

// withoutRecordLocks is a role: it works on the file until it has made so many changes.
func withoutRecordLocks(path string, in *bufio.Scanner) error {
	in.Scan()
	rounds, err := strconv.Atoi(in.Text())
	if err != nil {
		return err
	}
	f, err := sharedfile.Open(path, options())
	if err != nil {
		return err
	}
	var ended atomic.Bool
	var group sync.WaitGroup
	var failures [4]error
	for i, work := range [...]func() error{
		func() error { return dropLocks(path) },
		func() error { _, err := twins(f); return err },
		func() error { _, err := twins(f); return err },
		func() error { return reopen(path) },
	} {
		group.Go(func() {
			for failures[i] == nil && !ended.Load() {
				failures[i] = work()
			}
		})
	}
	for n := 0; n < rounds && err == nil; n++ {
		if err = f.Update(incrementTwins); err == nil && n%10 == 0 {
			if err = f.Purge(); errors.Is(err, sharedfile.ErrBusy) {
				err = nil
			}
		}
		if n == 10 {
			fmt.Println("under way")
		}
	}
	ended.Store(true)
	group.Wait()
	return errors.Join(err, errors.Join(failures[:]...), f.Close())
}

// dropLocks closes SQLite's files, and with them goes what the process has locked.
func dropLocks(path string) error {
	for _, suffix := range []string{"", "-shm"} {
		file, err := os.Open(path + suffix)
		if err != nil {
			return err
		}
		file.Close()
	}
	return nil
}

func reopen(path string) error {
	f, err := sharedfile.Open(path, options())
	if err != nil {
		return err
	}
	_, err = twins(f)
	return errors.Join(err, f.Close())
}
