// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"os"
	"testing"
	"time"

	"libzk_pkcs11/internal/processtest"
	"libzk_pkcs11/internal/sharedfile"
)

// TestCutWhileOpened: a cut of the index of another file comes while this one is opened, after
// SQLite has opened some of its files. They were given up with all others, and are opened anew.
func TestCutWhileOpened(t *testing.T) {
	path := newPath(t)
	mustIncrement(t, open(t, path))
	p := processtest.Start(t, "stay in view", path)
	p.Hear()
	if err := os.Remove(path + ".write"); err != nil { // so that somebody has to be alone
		t.Fatal(err)
	}
	cuts := uint64(0)
	o := options()
	o.Process.Cuts = func() uint64 { return cuts }
	o.Process.Pause = func(d time.Duration) { // while it waits for the lock
		if cuts == 0 {
			cuts = 1
			p.Tell("leave")
		}
		time.Sleep(d)
	}
	f, err := sharedfile.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	version := f.Version()
	mustCount(t, f)
	if cuts != 1 || f.Version() <= version {
		t.Errorf("it was not opened anew after %d cuts", cuts)
	}
}
