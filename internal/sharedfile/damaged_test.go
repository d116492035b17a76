// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

// TestDamagedPage: opening the files anew is tried once. It does not help.
func TestDamagedPage(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustUpdate(t, f, "CREATE TABLE damaged (n); INSERT INTO damaged VALUES (1)")
	if err := f.Purge(); err != nil {
		t.Fatal(err)
	}
	var page int64
	err := f.View(func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'damaged'").Scan(&page)
	})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(bytes.Repeat([]byte{0xee}, 100), (page-1)*4096)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	f = open(t, path)
	versions := map[uint64]bool{f.Version(): true}
	for range 10 {
		err := f.View(func(tx *sql.Tx) error {
			var n int
			return tx.QueryRow("SELECT n FROM damaged").Scan(&n)
		})
		if !errors.Is(err, sharedfile.ErrCorrupt) {
			t.Errorf("View: %v, want ErrCorrupt", err)
		}
		mustCount(t, f)
		versions[f.Version()] = true
	}
	delete(versions, 1) // of the moment when it is not open
	if len(versions) > 2 {
		t.Errorf("opened anew %d times in 10 reads of a damaged page", len(versions)-1)
	}
}
