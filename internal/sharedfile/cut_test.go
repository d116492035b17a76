// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sharedfile_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCutCounter: somebody has cut the file under those who map it. That is an error, and
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
			if err := f.Update(increment); err == nil {
				t.Error("Update has not failed")
			}
			if f.Version() == version || f.PartVersion(0) == part {
				t.Error("the versions have not changed")
			}
			if _, err := count(f); err == nil {
				t.Error("View has not failed")
			}
			if n := mustCount(t, open(t, path)); n != 1 {
				t.Errorf("counter is %d, want 1", n)
			}
		})
	}
}
