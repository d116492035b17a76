// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/descriptor"
)

const unknown = "no-such-group"

func TestAccessOfOwnerAlone(t *testing.T) {
	a, err := accessOf("", t.TempDir())
	if err != nil || a.directory != 0o700 || a.file != 0o600 || a.group != -1 {
		t.Errorf("got %+v, %v", a, err)
	}
}

// The list of groups is out of reach in another root directory, where every
// group is unknown: a directory that was made for the group tells it.
func TestAccessOfUnknownGroup(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name, directory string
		mode            fs.FileMode
		ok              bool
	}{
		{"made for a group", dir, 0o770 | fs.ModeSetgid, true},
		{"made for the owner", dir, 0o700, false},
		{"not there", filepath.Join(dir, "none"), 0, false},
	}
	for _, tt := range tests {
		if err := os.Chmod(dir, 0o700|tt.mode); err != nil {
			t.Fatal(err)
		}
		a, err := accessOf(unknown, tt.directory)
		if (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.ok && (a.group != os.Getegid() || a.file != 0o660) {
			t.Errorf("%s: got %+v", tt.name, a)
		}
	}
}

func TestMakeDirectoryForGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parent", "state")
	a := access{directory: 0o770 | fs.ModeSetgid, parents: 0o755, file: 0o660, group: os.Getegid()}
	for range 2 { // the second time it is there
		if err := a.makeDirectory(path); err != nil {
			t.Fatal(err)
		}
	}
	if gid, ok := descriptor.SharedBy(path); !ok || gid != os.Getegid() {
		t.Errorf("the directory is not made for the group: %d, %v", gid, ok)
	}
}
