// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"errors"
	"io/fs"
	"testing"

	"libzk_pkcs11/internal/descriptor"
)

// TestNoneIsNotUnknown: what cannot be opened, for want of a descriptor perhaps, is not taken for
// something that is not there.
func TestNoneIsNotUnknown(t *testing.T) {
	dir, err := descriptor.OpenDirectory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	opens := map[string]func() error{
		"lock":             func() error { _, err := openLockReadOnly(dir, "lock", Options{}); return err },
		"counter":          func() error { _, err := openExisting(dir, "gen"); return err },
		"counter, to read": func() error { _, err := openGenerationReadOnly(dir, "gen", nil); return err },
	}
	for name, open := range opens {
		if err := open(); err != nil {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
	dir.Close()
	for name, open := range opens {
		if err := open(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s in a directory that cannot be used: %v", name, err)
		}
	}
}
