// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

// leave makes a file, has its log begin anew some times, and copies both as they lie there
// while it is open, as after the death of its only user.
func leave(t *testing.T, purges int) (dir string) {
	t.Helper()
	at := t.TempDir()
	f := open(t, filepath.Join(at, "data.db"))
	for range purges {
		mustIncrement(t, f)
		if err := f.Purge(); err != nil {
			t.Fatal(err)
		}
	}
	mustIncrement(t, f)
	dir = t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(dir, "data.db"+suffix), filepath.Join(at, "data.db"+suffix))
	}
	return dir
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestLogOfAnotherFile: SQLite would mix both files, and spoil what could be saved.
func TestLogOfAnotherFile(t *testing.T) {
	for purges := range 3 {
		mine, others := leave(t, purges), leave(t, purges)
		for _, suffix := range []string{"", "-wal"} {
			dir := t.TempDir()
			for _, s := range []string{"", "-wal"} {
				copyFile(t, filepath.Join(dir, "data.db"+s), filepath.Join(mine, "data.db"+s))
			}
			path := filepath.Join(dir, "data.db")
			copyFile(t, path+suffix, filepath.Join(others, "data.db"+suffix))
			looking := options()
			looking.ReadOnly = true
			for _, o := range []sharedfile.Options{looking, options()} {
				if f, err := sharedfile.Open(path, o); !errors.Is(err, sharedfile.ErrLog) {
					f.Close()
					t.Errorf("%d purges, %q exchanged, read-only %v: %v, want ErrLog", purges, suffix, o.ReadOnly, err)
				}
			}
			copyFile(t, path+suffix, filepath.Join(mine, "data.db"+suffix))
			f, err := sharedfile.Open(path, looking)
			if err != nil {
				t.Errorf("%d purges, %q put back, read-only: %v", purges, suffix, err)
			}
			f.Close()
			if n := mustCount(t, open(t, path)); n != purges+1 {
				t.Errorf("%d purges, %q put back: counts %d", purges, suffix, n)
			}
		}
	}
}

// TestExisting: where there has to be a file none is made, and nothing beside it.
func TestExisting(t *testing.T) {
	o := options()
	o.Existing = true
	for name, make := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"log": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.WriteFile(path+"-wal", []byte("log"), 0o600))
		},
		"no schema": func(path string) error {
			db, err := sql.Open("sqlite3", path)
			if err == nil {
				_, err = db.Exec("VACUUM")
			}
			return errors.Join(err, db.Close())
		},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "data.db")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before := contents(t, dir)
		if f, err := sharedfile.Open(path, o); !errors.Is(err, sharedfile.ErrMissing) {
			f.Close()
			t.Errorf("%s: %v, want ErrMissing", name, err)
		}
		if after := contents(t, dir); after != before {
			t.Errorf("%s: the directory was %s and is %s", name, before, after)
		}
	}
	dir := leave(t, 0)
	f, err := sharedfile.Open(filepath.Join(dir, "data.db"), o)
	if err != nil || mustCount(t, f) != 1 {
		t.Error("a file that is there:", err)
	}
	f.Close()
}

// contents tells the files of a directory and their sizes.
func contents(t *testing.T, dir string) (text string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		text += e.Name() + " " + info.ModTime().String() + "\n"
	}
	return text
}
