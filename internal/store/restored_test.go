// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/store"
)

// TestRestoredDirectory: a process that has a token open when a backup takes the place of its
// directory counts wrong PINs where everybody does.
func TestRestoredDirectory(t *testing.T) {
	s, dir, _ := initialized(t)
	if out, err := exec.Command("sh", "-c", `cp -a "$0" "$0.backup" && mv "$0" "$0.old" && mv "$0.backup" "$0"`, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fail(t, s, 2)
	if got := pinOf(t, open(t, dir), store.NormalUser); got.Failures != 2 {
		t.Errorf("others count %d failures, want 2", got.Failures)
	}
	if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil {
		t.Errorf("the right PIN: %v", err)
	}
}

// TestLocksThatWereRemoved: lock files hold nothing, and are made anew.
func TestLocksThatWereRemoved(t *testing.T) {
	s, dir, _ := initialized(t)
	locks, err := filepath.Glob(filepath.Join(dir, "*.lock"))
	if err != nil || len(locks) < 3 {
		t.Fatalf("locks: %q, %v", locks, err)
	}
	for range 2 {
		for _, lock := range locks {
			if err := os.Remove(lock); err != nil {
				t.Fatal(err)
			}
		}
		fail(t, s, 1)
		if _, err := s.CheckPIN(store.NormalUser, userPIN); err != nil {
			t.Errorf("the right PIN: %v", err)
		}
		open(t, dir) // makes those that nobody had to take
	}
}
