// SPDX-License-Identifier: Apache-2.0

package scm

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzBootFile: whatever may be signed is below the boot directory, and stands in the
// manifest under its name.
func FuzzBootFile(f *testing.F) {
	for _, path := range []string{"kernel", "overlays/a.dtbo", "../x", "/x", "a b", "a\u00a0b", "a\u0085", ".", "", "a//b", "..a"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if CheckBootFile(path, DefaultBootSlot) != nil {
			return
		}
		if names := strings.Fields("first " + path + " last"); !slices.Equal(names, []string{"first", path, "last"}) {
			t.Errorf("%q is in the manifest as %q", path, names)
		}
		if full := filepath.Join("/boot", path); !strings.HasPrefix(full, "/boot/") || full != "/boot/"+path {
			t.Errorf("%q is %q", path, full)
		}
	})
}
