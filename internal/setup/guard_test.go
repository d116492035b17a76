// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"libzk_pkcs11/internal/config"
)

// TestForkGuard checks that the guard hears of the lock of every file, and of what each lock is for, and that a
// descriptor is still open, and so no other file's, when it is told to forget it.
func TestForkGuard(t *testing.T) {
	c := settings(t, config.BackendSoft, "")
	var told []string
	open := 0
	guard := func(fd int) func() {
		link := fmt.Sprintf("/proc/self/fd/%d", fd)
		name, err := os.Readlink(link)
		if err != nil {
			t.Error(err)
		}
		told, open = append(told, name), open+1
		return func() {
			if now, err := os.Readlink(link); now != name {
				t.Errorf("%s is forgotten when its descriptor is that of %q: %v", name, now, err)
			}
			open--
		}
	}
	device, tokens, err := Options(c, nil, Process{ForkGuard: guard}).Slots[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	var locks []string
	for _, pattern := range []string{"*.lock", "*.write", "*.db", "*.db-wal"} {
		some, err := filepath.Glob(filepath.Join(c.State, pattern))
		if err != nil || len(some) == 0 {
			t.Fatalf("locks: %v, %v", some, err)
		}
		locks = append(locks, some...)
	}
	slices.Sort(locks)
	slices.Sort(told)
	if !slices.Equal(told, locks) {
		t.Errorf("told of %q, want %q", told, locks)
	}
	if err := tokens.Close(); err != nil {
		t.Error(err)
	}
	if err := device.Close(); err != nil {
		t.Error(err)
	}
	if open != 0 {
		t.Errorf("%d descriptors are never forgotten", open)
	}
}
