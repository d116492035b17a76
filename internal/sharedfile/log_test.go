// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestPurge deletes what others still have in their log.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	f, g := open(t, filepath.Join(dir, "f")), open(t, filepath.Join(dir, "f"))
	writeAndDelete(t, f)
	if !inFiles(t, dir, deleted) {
		t.Error("the log does not hold what was deleted: the test shows nothing")
	}
	mustCount(t, g)
	if err := g.Purge(); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, dir, deleted) {
		t.Error("what was deleted is still there")
	}
	mustIncrement(t, f)
	if n := mustCount(t, g); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

func inFiles(t *testing.T, dir, text string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), text) {
			return true
		}
	}
	return false
}

const deleted = "what is to be gone for good"

// writeAndDelete leaves a deleted text in the log.
func writeAndDelete(t *testing.T, f *sharedfile.File) {
	t.Helper()
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS purged (text TEXT)", "INSERT INTO purged VALUES ('" + deleted + "')", "DELETE FROM purged",
	} {
		err := f.Update(func(tx *sql.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPurgeLater: while somebody is in the file nothing can be taken out of the log. The
// next writer does it.
func TestPurgeLater(t *testing.T) {
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "f"))
	writeAndDelete(t, f)
	reader := processtest.Start(t, "stay in view", filepath.Join(dir, "f"))
	reader.Hear()
	if err := f.Purge(); !errors.Is(err, sharedfile.ErrBusy) {
		t.Errorf("Purge beside a reader: %v, want ErrBusy", err)
	}
	if !inFiles(t, dir, deleted) {
		t.Error("what was deleted is gone: the test shows nothing")
	}
	if err := reader.End(); err != nil {
		t.Fatal(err)
	}
	mustIncrement(t, f)
	if inFiles(t, dir, deleted) {
		t.Error("what was deleted is still there")
	}
}

// TestLogKeepsItsBytes: neither a checkpoint nor a purge gives them back to the disk, and
// a long log does not stay so.
func TestLogKeepsItsBytes(t *testing.T) {
	const kept, most = 64 * 4120, 2100 * 4120
	f, path := openNew(t)
	check := func(when string, most int64) {
		t.Helper()
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if n := info.Size(); n < kept || n > most {
			t.Errorf("%s the log has %d bytes, want %d to %d", when, n, kept, most)
		}
	}
	check("at first", kept+4120)
	for range 30 {
		err := f.Update(func(tx *sql.Tx) error {
			_, err := tx.Exec("CREATE TABLE IF NOT EXISTS big (b BLOB); INSERT INTO big VALUES (zeroblob(500000))")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check("after large changes", most)
	if err := f.Purge(); err != nil {
		t.Fatal(err)
	}
	check("after a purge", kept+4120)
	mustIncrement(t, f)
	if n := mustCount(t, open(t, path)); n != 1 {
		t.Errorf("counter is %d, want 1", n)
	}
}

// TestAloneAmongReaders: those who read all the time let somebody be alone with the file.
// On a busy machine not each time within the second that Purge waits.
func TestAloneAmongReaders(t *testing.T) {
	const purges = 10
	f, path := openNew(t)
	var readers []*processtest.Process
	for range 3 {
		p := processtest.Start(t, "view all the time", path)
		p.Hear()
		readers = append(readers, p)
	}
	done := 0
	for range purges {
		if err := f.Purge(); err == nil {
			done++
		} else if !errors.Is(err, sharedfile.ErrBusy) {
			t.Fatal(err)
		}
		mustIncrement(t, open(t, path))
	}
	if done < purges/2 {
		t.Errorf("%d purges of %d", done, purges)
	}
	for _, p := range readers {
		if err := p.End(); err != nil {
			t.Error(err)
		}
	}
}
