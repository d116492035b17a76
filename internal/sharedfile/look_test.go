// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"

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

// TestNobodyBelievesALookUnderWay: somebody who reads the version has begun to look, and does
// not know yet what there is.
func TestNobodyBelievesALookUnderWay(t *testing.T) {
	path := newPath(t)
	var underWay func()
	o := options()
	o.Process.Cuts = func() uint64 { // which is asked for in each look
		if do := underWay; do != nil {
			underWay = nil
			do()
		}
		return 0
	}
	f := openWith(t, path, o)
	mustIncrement(t, f)
	time.Sleep(20 * time.Millisecond) // after which who reads the version looks
	looked := false
	underWay = func() {
		looked = true
		if err := os.Remove(path + ".gen"); err != nil {
			t.Error(err)
		}
		mustCount(t, f)
		if _, err := os.Stat(path + ".gen"); err != nil {
			t.Errorf("the files were not opened anew: %v", err)
		}
	}
	f.Version()
	if !looked {
		t.Error("nobody has looked")
	}
}
