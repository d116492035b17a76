// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"
)

func openPlain(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path, Options{Schema: "CREATE TABLE a (n)", Parts: 1, Mode: 0o600, Group: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// commitAndDie leaves what a writer leaves that dies after its commit.
func commitAndDie(t *testing.T, f *File) {
	t.Helper()
	if err := f.current.Load().gen.beginChange(); err != nil {
		t.Fatal(err)
	}
	tx, err := beginWriting(f.current.Load().writer, f.arrive())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO a VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestCommittedAndNotTold: the next one who can tells it, as a change of everything.
func TestCommittedAndNotTold(t *testing.T) {
	for name, meet := range map[string]func(*File) error{
		"Version":     func(f *File) error { f.Version(); return nil },
		"PartVersion": func(f *File) error { f.PartVersion(0); return nil },
		"View":        func(f *File) error { return f.View(func(*sql.Tx) error { return nil }) },
		"Change": func(f *File) error {
			_, err := f.Change(func(*sql.Tx) ([]int, error) { return nil, nil })
			return err
		},
		"Open": func(f *File) error {
			g, err := Open(f.path, Options{Schema: "CREATE TABLE a (n)", Mode: 0o600, Group: -1})
			g.Close()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f, dead := openPlain(t, path), openPlain(t, path)
			version, part := f.Version(), f.PartVersion(0)
			commitAndDie(t, dead)
			if err := meet(f); err != nil {
				t.Fatal(err)
			}
			if f.current.Load().gen.unsettled() || f.Version() <= version || f.PartVersion(0) <= part {
				t.Errorf("unsettled %v, versions %d and %d, were %d and %d",
					f.current.Load().gen.unsettled(), f.Version(), f.PartVersion(0), version, part)
			}
		})
	}
}

// TestRepairIsAlone: Version does not settle beside a reader, and leaves no lock behind.
func TestRepairIsAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, dead, reader := openPlain(t, path), openPlain(t, path), openPlain(t, path)
	version, settled := f.Version(), uint64(0)
	commitAndDie(t, dead)
	err := reader.View(func(*sql.Tx) error {
		err := dead.current.Load().gen.beginChange() // the reader has settled: another one dies
		settled = f.Version()
		if v := settled; v <= version || v > version+mostStep || !f.current.Load().gen.unsettled() {
			t.Errorf("Version is %d, unsettled %v; was %d", v, f.current.Load().gen.unsettled(), version)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(lookAgain)
	if v := f.Version(); v <= settled || v > settled+mostStep || f.current.Load().gen.unsettled() {
		t.Errorf("Version is %d, unsettled %v; was %d", v, f.current.Load().gen.unsettled(), version)
	}
	for name, lock := range map[string]*Lock{"write": f.current.Load().writeLock, "file": f.current.Load().lock} {
		release, err := lock.Exclusive(0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		release()
	}
}
