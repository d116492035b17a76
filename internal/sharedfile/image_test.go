// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestImage: the image is a file of its own, with what was committed when it was taken and
// nothing else, and to take it changes nothing.
func TestImage(t *testing.T) {
	f := open(t, newPath(t))
	mustIncrement(t, f)
	mustIncrement(t, f)
	version := f.Version()
	var image []byte
	err := f.Image(func(b []byte) error {
		image = bytes.Clone(b)
		return nil
	})
	if err != nil || f.Version() < version {
		t.Fatalf("%v, version %d, was %d", err, f.Version(), version)
	}
	mustIncrement(t, f)
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := mustCount(t, open(t, path)); n != 2 {
		t.Errorf("the image counts to %d, want 2", n)
	}
	if n := mustCount(t, f); n != 3 {
		t.Errorf("the file counts to %d, want 3", n)
	}
	failed := errors.New("fails")
	if err := f.Image(func([]byte) error { return failed }); err != failed {
		t.Errorf("%v", err)
	}
	mustIncrement(t, f)
}
