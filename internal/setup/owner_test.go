// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadFile: what is read for a backup is the file itself, and nothing that somebody has put in its place.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("root.key"), []byte("key"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("root.key", path("link")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	content, owner, err := ReadFile(path("root.key"))
	if err != nil || string(content) != "key" || owner.Mode != 0o640 || owner.UID != os.Geteuid() {
		t.Errorf("%q, %+v, %v", content, owner, err)
	}
	for _, name := range []string{"link", "pipe", "."} {
		if content, _, err := ReadFile(path(name)); err == nil {
			t.Errorf("%s: %q is read", name, content)
		}
		if _, err := OwnerOfFile(path(name)); err == nil {
			t.Errorf("%s has an owner", name)
		}
	}
}
