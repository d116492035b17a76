// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

func TestProcessesLoseNoUpdate(t *testing.T) {
	const processes, updates = 6, 200
	path := filepath.Join(t.TempDir(), "f")
	var running []*processtest.Process
	for range processes {
		p := processtest.Start(t, "increment", path)
		p.Tell(strconv.Itoa(updates))
		running = append(running, p)
	}
	for _, p := range running {
		if err := p.End(); err != nil {
			t.Error(err)
		}
	}
	if n := mustCount(t, open(t, path)); n != processes*updates {
		t.Errorf("counter is %d, want %d", n, processes*updates)
	}
}

// TestKilledWriters kills them in the middle of a change, and of the emptying of the log.
func TestKilledWriters(t *testing.T) {
	for _, role := range []string{"insert", "insert and purge"} {
		t.Run(role, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f := open(t, path)
			committed := 0
			for kill := range 30 {
				version := f.Version()
				p := processtest.Start(t, role, path)
				for range kill%7 + 1 {
					p.Tell("insert")
					p.Hear()
					committed++
				}
				if f.Version() <= version {
					t.Errorf("Version is still %d", version)
				}
				p.Tell("insert") // killed somewhere in this one
				p.Kill()
				committed = checkRows(t, f, committed)
			}
		})
	}
}

// checkRows fails the test unless the rows are 1 to n with no gap, where n is
// committed or one more, and returns n.
func checkRows(t *testing.T, f *sharedfile.File, committed int) int {
	t.Helper()
	var rows, last int
	var integrity string
	err := f.View(func(tx *sql.Tx) error {
		if err := tx.QueryRow("SELECT count(*), coalesce(max(n), 0) FROM rows").Scan(&rows, &last); err != nil {
			return err
		}
		return tx.QueryRow("PRAGMA integrity_check").Scan(&integrity)
	})
	if err != nil {
		t.Fatal(err)
	}
	if integrity != "ok" || rows != last || rows < committed || rows > committed+1 {
		t.Fatalf("%d rows up to %d after %d commits, integrity %s", rows, last, committed, integrity)
	}
	return rows
}

func TestVersionChangesInAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := open(t, path)
	p := processtest.Start(t, "insert", path)
	for range 300 { // far enough for a carry between the counter's bytes
		before := f.Version()
		if again := f.Version(); again != before {
			t.Fatalf("Version went from %d to %d without a change", before, again)
		}
		p.Tell("insert")
		p.Hear()
		if f.Version() == before {
			t.Fatalf("Version is still %d after a change", before)
		}
	}
}

func TestVersionDuringChange(t *testing.T) {
	for _, before := range []string{"finished", "killed"} {
		t.Run("after a "+before+" one", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f := open(t, path)
			p := processtest.Start(t, "stay in update", path)
			p.Hear()
			if before == "killed" {
				p.Kill()
			} else if err := p.End(); err != nil {
				t.Fatal(err)
			}
			checkChange(t, f, path)
		})
	}
}

func checkChange(t *testing.T, f *sharedfile.File, path string) {
	t.Helper()
	f.Version()
	p := processtest.Start(t, "stay in update", path)
	p.Hear()
	before := f.Version()
	if again := f.Version(); again != before {
		t.Errorf("Version went from %d to %d in the middle of a change", before, again)
	}
	p.Tell("go on")
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	if v := f.Version(); v == before || v != f.Version() {
		t.Errorf("Version %d is not a new, stable one", v)
	}
}

func TestVersionHealsAfterKilledWriter(t *testing.T) {
	heal := map[string]func(*testing.T, *sharedfile.File){
		"by Version": func(t *testing.T, f *sharedfile.File) { f.Version() },
		"by View":    func(t *testing.T, f *sharedfile.File) { mustCount(t, f) },
		"by Update":  func(t *testing.T, f *sharedfile.File) { mustIncrement(t, f) },
	}
	for name, call := range heal {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f := open(t, path)
			before := f.Version()
			p := processtest.Start(t, "stay in update", path)
			p.Hear()
			p.Kill()
			call(t, f)
			if v := f.Version(); v == before || v != f.Version() {
				t.Errorf("Version %d is not a new, stable one (was %d)", v, before)
			}
		})
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	tests := []struct {
		name string
		left []string // what is left of the companions
		told bool     // whether the version can be known
	}{
		{"whole", []string{"-wal", "-shm", ".lock", ".gen"}, true},
		{"without log", []string{".lock", ".gen"}, true},
		{"alone", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(processtest.PublicDir(t), "f")
			f := open(t, path)
			mustIncrement(t, f)
			version := uint64(0)
			if test.told {
				version = f.Version()
			}
			f.Close()
			keep(t, path, test.left)
			if err := os.Chmod(filepath.Dir(path), 0o555); err != nil {
				t.Fatal(err)
			}
			p := processtest.Start(t, "look", path, processtest.Unprivileged(t))
			p.Tell("look")
			if got, want := p.Hear(), fmt.Sprintf("true %d 1 <nil>", version); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// keep deletes the companions of the file that are not listed.
func keep(t *testing.T, path string, left []string) {
	t.Helper()
	listed := map[string]bool{}
	for _, suffix := range left {
		listed[suffix] = true
	}
	for _, suffix := range []string{"-wal", "-shm", ".lock", ".write", ".gen", ".room"} {
		if !listed[suffix] {
			if err := os.Remove(path + suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestReadOnlyFollowsAWriter(t *testing.T) {
	for _, log := range []string{"used", "unusable"} {
		t.Run("log "+log, func(t *testing.T) {
			path := filepath.Join(processtest.PublicDir(t), "f")
			f := open(t, path)
			mustIncrement(t, f)
			versions := []uint64{f.Version()}
			if log == "unusable" {
				f.Close()
				keep(t, path, []string{".gen", ".lock"})
			}
			p := processtest.Start(t, "look", path, processtest.Unprivileged(t))
			p.Tell("look")
			first := p.Hear()
			f = open(t, path)
			mustIncrement(t, f)
			versions = append(versions, f.Version())
			f.Close() // copies the log into the file
			p.Tell("look")
			if got, want := first+", "+p.Hear(), fmt.Sprintf("true %d 1 <nil>, true %d 2 <nil>", versions[0], versions[1]); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestReadOnlyAndAbsent(t *testing.T) {
	path := filepath.Join(processtest.PublicDir(t), "f")
	p := processtest.Start(t, "look", path, processtest.Unprivileged(t))
	p.Tell("look")
	if got, want := p.Hear(), "true 0 0 <nil>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadOnlyRefusesUpdate(t *testing.T) {
	path := filepath.Join(processtest.PublicDir(t), "f")
	open(t, path)
	p := processtest.Start(t, "report update", path, processtest.Unprivileged(t))
	if got, want := p.Hear(), "read only: true"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
