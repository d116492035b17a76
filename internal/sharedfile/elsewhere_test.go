// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

// TestNameLeadsElsewhere stands for a host that has another root directory by now, or
// another user: what is open goes on, and nothing else is taken for the file.
func TestNameLeadsElsewhere(t *testing.T) {
	for name, there := range map[string]bool{"nowhere": false, "to another file": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir")
			moved := dir + ".moved"
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			f := open(t, filepath.Join(dir, "f"))
			if err := os.Rename(dir, moved); err != nil {
				t.Fatal(err)
			}
			if there {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				g := open(t, filepath.Join(dir, "f"))
				mustUpdate(t, g, "UPDATE counter SET n = 100")
			}
			checkMoved(t, f, moved)
		})
	}
}

func checkMoved(t *testing.T, f *sharedfile.File, dir string) {
	t.Helper()
	mustUpdate(t, f, "CREATE TABLE big (b); INSERT INTO big VALUES ('"+deleted+"'), (zeroblob(100000)); UPDATE counter SET n = 1")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				if n, err := count(f); err != nil || n != 1 {
					t.Errorf("counter is %d, want 1: %v", n, err)
				}
			}
		})
	}
	group.Wait()
	mustUpdate(t, f, "DELETE FROM big")
	if err := f.Purge(); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, dir, deleted) {
		t.Error("what was deleted is still there")
	}
}
