// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"os"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

// TestChangeLooksWithItsLock: what was seen before does not do.
func TestChangeLooksWithItsLock(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	mustIncrement(t, f)
	f.JustLooked()
	if err := os.Remove(path + ".gen"); err != nil {
		t.Fatal(err)
	}
	err := f.Update(func(*sql.Tx) error {
		t.Error("the change has begun")
		return nil
	})
	if !errors.Is(err, sharedfile.ErrReplaced) {
		t.Errorf("Update: %v, want ErrReplaced", err)
	}
	mustIncrement(t, f)
}
