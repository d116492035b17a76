// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

const schema = `
	CREATE TABLE counter (n INTEGER NOT NULL);
	INSERT INTO counter VALUES (0);
	CREATE TABLE rows (n INTEGER PRIMARY KEY)`

// roles are what a process does that a test starts from its own binary. The
// test closes stdin to end it, or kills it.
var roles = map[string]processtest.Role{
	"increment": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		in.Scan()
		n, err := strconv.Atoi(in.Text())
		for ; n > 0 && err == nil; n-- {
			err = f.Update(increment)
		}
		return err
	}),
	"update for a time": withFile(updateForATime),
	"insert":            withFile(insertRows),
	"relax": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		for in.Scan() {
			_, err := f.Relaxed(changeOf(0))
			fmt.Println(err)
		}
		return nil
	}),
	"insert and purge": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		go func() {
			for f.Purge() == nil {
			}
		}()
		return insertRows(f, in)
	}),
	"stay in update": withFile(stayInUpdate),
	"update when told": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		fmt.Println("open")
		in.Scan()
		return stayInUpdate(f, in)
	}),
	"stay open": withFile(func(_ *sharedfile.File, in *bufio.Scanner) error {
		fmt.Println("open")
		in.Scan()
		return nil
	}),
	"stay in view": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		return f.View(func(tx *sql.Tx) error {
			fmt.Println("inside")
			in.Scan()
			return nil
		})
	}),
	"view all the time": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		ended := make(chan struct{})
		go func() {
			in.Scan()
			close(ended)
		}()
		fmt.Println("open")
		for {
			select {
			case <-ended:
				return nil
			default:
			}
			if _, err := count(f); err != nil {
				return err
			}
		}
	}),
	"without record locks": withoutRecordLocks,
	"look upgraded":        lookUpgraded,
	"open": func(path string, in *bufio.Scanner) error {
		f, err := sharedfile.Open(path, options())
		fmt.Println("newer:", errors.Is(err, sharedfile.ErrFormat))
		f.Close()
		return nil
	},
	"report update": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		fmt.Println("read only:", errors.Is(f.Update(increment), sharedfile.ErrReadOnly))
		return nil
	}),
	"update": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		for in.Scan() {
			err := f.Update(increment)
			fmt.Println(f.ReadOnly(), f.Version(), err)
		}
		return nil
	}),
	"look": withFile(func(f *sharedfile.File, in *bufio.Scanner) error {
		for in.Scan() {
			version := f.Version()
			n, err := count(f)
			fmt.Println(f.ReadOnly(), version, n, err)
		}
		return nil
	}),
}

func insertRows(f *sharedfile.File, in *bufio.Scanner) error {
	for in.Scan() {
		err := f.Update(func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO rows SELECT coalesce(max(n), 0) + 1 FROM rows")
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println("committed")
	}
	return nil
}

func stayInUpdate(f *sharedfile.File, in *bufio.Scanner) error {
	return f.Update(func(tx *sql.Tx) error {
		fmt.Println("inside")
		in.Scan()
		return increment(tx)
	})
}

func TestMain(m *testing.M) { processtest.Main(m, roles) }

// withFile makes a role of what a process does with the file whose path it gets.
func withFile(do func(*sharedfile.File, *bufio.Scanner) error) processtest.Role {
	return func(path string, in *bufio.Scanner) error {
		f, err := sharedfile.Open(path, options())
		if err != nil {
			return err
		}
		defer f.Close()
		return do(f, in)
	}
}

func options() sharedfile.Options {
	return sharedfile.Options{Schema: schema, Parts: 2, Mode: 0o644, Group: -1, Wait: time.Minute}
}

// newPath is where a test may make a file.
func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "f")
}

// openNew opens a new file.
func openNew(t testing.TB) (f *sharedfile.File, path string) {
	t.Helper()
	path = newPath(t)
	return open(t, path), path
}

func open(t testing.TB, path string) *sharedfile.File {
	t.Helper()
	return openWith(t, path, options())
}

// openWaiting opens a file whose users wait so long for others.
func openWaiting(t testing.TB, path string, wait time.Duration) *sharedfile.File {
	t.Helper()
	o := options()
	o.Wait = wait
	return openWith(t, path, o)
}

func openWith(t testing.TB, path string, o sharedfile.Options) *sharedfile.File {
	t.Helper()
	f, err := sharedfile.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func increment(tx *sql.Tx) error {
	_, err := tx.Exec("UPDATE counter SET n = n + 1")
	return err
}

func mustIncrement(t testing.TB, f *sharedfile.File) {
	t.Helper()
	if err := f.Update(increment); err != nil {
		t.Fatal(err)
	}
}

func mustUpdate(t testing.TB, f *sharedfile.File, statements string) {
	t.Helper()
	err := f.Update(func(tx *sql.Tx) error {
		_, err := tx.Exec(statements)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(f *sharedfile.File) (n int, err error) {
	err = f.View(func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT n FROM counter").Scan(&n)
	})
	return n, err
}

func mustCount(t testing.TB, f *sharedfile.File) int {
	t.Helper()
	n, err := count(f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
