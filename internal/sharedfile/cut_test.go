// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sharedfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

// TestCutCounter: somebody has cut the file under those who map it. It is opened anew, and
// no version that was known is true any more. The race detector cannot see that.
func TestCutCounter(t *testing.T) {
	for name, first := range map[string]string{"found by a reader": "Version", "found by a writer": "Update"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			f := open(t, path)
			mustIncrement(t, f)
			version, part := f.Version(), f.PartVersion(0)
			if err := os.Truncate(path+".gen", 0); err != nil {
				t.Fatal(err)
			}
			if first == "Version" && f.Version() == version {
				t.Error("Version has not changed")
			}
			mustIncrement(t, f)
			if f.Version() <= version || f.PartVersion(0) <= part {
				t.Error("the versions have not grown")
			}
			for who, now := range map[string]*sharedfile.File{"the one that had it open": f, "another": open(t, path)} {
				if n := mustCount(t, now); n != 2 {
					t.Errorf("counter is %d for %s, want 2", n, who)
				}
			}
		})
	}
}
