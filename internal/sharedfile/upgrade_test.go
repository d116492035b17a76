// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// upgraded are the options of a release whose format is the third. How often an upgrade
// has been made can be seen in the counter.
func upgraded() sharedfile.Options {
	o := options()
	o.Schema += "; CREATE TABLE second (n); CREATE TABLE third (n)"
	o.Upgrades = []string{
		"UPDATE counter SET n = n + 100; CREATE TABLE second (n)",
		"UPDATE counter SET n = n + 1000; CREATE TABLE third (n)",
	}
	return o
}

func openUpgraded(t *testing.T, path string) *sharedfile.File {
	t.Helper()
	return openWith(t, path, upgraded())
}

// lookUpgraded is a role: it opens the file when it is told, and says what it holds.
func lookUpgraded(path string, in *bufio.Scanner) error {
	fmt.Println("ready")
	in.Scan()
	f, err := sharedfile.Open(path, upgraded())
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		n, err := count(f)
		if err == nil {
			err = f.View(func(tx *sql.Tx) error {
				_, err := tx.Exec("SELECT n FROM second UNION SELECT n FROM third")
				return err
			})
		}
		fmt.Println(f.ReadOnly(), n, err)
		if !in.Scan() {
			return nil
		}
	}
}

func TestUpgradeByProcessesAtOnce(t *testing.T) {
	path := newPath(t)
	old := open(t, path)
	mustIncrement(t, old)
	version := old.Version()
	var running []*processtest.Process
	for range 6 {
		p := processtest.Start(t, "look upgraded", path)
		p.Hear()
		running = append(running, p)
	}
	for _, p := range running {
		p.Tell("go on")
	}
	for _, p := range running {
		if got, want := p.Hear(), "false 1101 <nil>"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if err := p.End(); err != nil {
			t.Error(err)
		}
	}
	if v := old.Version(); v == version {
		t.Error("those who had the file open have not been told")
	}
}

func TestUpgradeOfEveryFormat(t *testing.T) {
	for format, want := range map[int]int{1: 1101, 2: 1001, 3: 1} {
		path := newPath(t)
		o := upgraded()
		o.Upgrades = o.Upgrades[:format-1]
		switch format {
		case 1:
			o.Schema = schema
		case 2:
			o.Schema = schema + "; CREATE TABLE second (n)"
		}
		f, err := sharedfile.Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		mustIncrement(t, f)
		f.Close()
		if n := mustCount(t, openUpgraded(t, path)); n != want {
			t.Errorf("format %d: counter is %d, want %d", format, n, want)
		}
		if n := mustCount(t, openUpgraded(t, path)); n != want {
			t.Errorf("format %d, opened again: counter is %d, want %d", format, n, want)
		}
	}
}

// TestFailedUpgrade changes nothing.
func TestFailedUpgrade(t *testing.T) {
	path := newPath(t)
	mustIncrement(t, open(t, path))
	o := upgraded()
	o.Upgrades[1] = "UPDATE counter SET n = 7; UPDATE what_is_not_there SET n = 0"
	if _, err := sharedfile.Open(path, o); err == nil {
		t.Fatal("the upgrade has not failed")
	}
	if n := mustCount(t, open(t, path)); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func TestNewerFormat(t *testing.T) {
	path := newPath(t)
	openUpgraded(t, path)
	if _, err := sharedfile.Open(path, options()); !errors.Is(err, sharedfile.ErrFormat) {
		t.Errorf("Open: %v, want ErrFormat", err)
	}
}

// TestUpgradeInMemory: a process that cannot write the file sees it in the newest format all the
// same, and what others change in it.
func TestUpgradeInMemory(t *testing.T) {
	for _, log := range []string{"used", "unusable"} {
		t.Run("log "+log, func(t *testing.T) {
			path := filepath.Join(processtest.PublicDir(t), "f")
			f := open(t, path)
			mustIncrement(t, f)
			if log == "unusable" {
				f.Close()
				keep(t, path, []string{".gen", ".lock"})
			}
			p := processtest.Start(t, "look upgraded", path, processtest.Unprivileged(t))
			p.Hear()
			look := func(when, want string) {
				t.Helper()
				p.Tell("look")
				if got := p.Hear(); got != want {
					t.Errorf("%s: got %q, want %q", when, got, want)
				}
			}
			look("at first", "true 1101 <nil>")
			f = open(t, path)
			mustIncrement(t, f)
			f.Close() // copies the log into the file
			look("after a change", "true 1102 <nil>")
			f = openUpgraded(t, path)
			mustIncrement(t, f)
			f.Close()
			look("after the upgrade", "true 1103 <nil>")
		})
	}
}

// TestNewerFormatReadOnly is no reason for a copy in memory.
func TestNewerFormatReadOnly(t *testing.T) {
	path := filepath.Join(processtest.PublicDir(t), "f")
	openUpgraded(t, path).Close()
	if err := os.Chmod(filepath.Dir(path), 0o555); err != nil {
		t.Fatal(err)
	}
	p := processtest.Start(t, "open", path, processtest.Unprivileged(t))
	if got := p.Hear(); got != "newer: true" {
		t.Errorf("Open has answered %q", got)
	}
}
