// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/config"
)

// TestPoolMemory: what is remembered of an SCM in hardware is apart from what is of others, though their libraries have
// the same name.
func TestPoolMemory(t *testing.T) {
	c := settings(t, config.BackendZymbit, "")
	for _, path := range []string{"/nowhere/a/lib.so", "/nowhere/b/lib.so"} {
		if _, err := OpenPoolDevice(c, c.Slots[0], path); err == nil {
			t.Errorf("%s opens", path)
		}
	}
	made, err := filepath.Glob(filepath.Join(c.State, "pool-*"))
	if err != nil || len(made) != 2 {
		t.Errorf("directories for two libraries: %q, %v", made, err)
	}
}
