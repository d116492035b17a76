// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm"
)

// TestPlaced: the token of an SCM in hardware is where all users have it, and that of a soft SCM is the user's.
func TestPlaced(t *testing.T) {
	mine, all := t.TempDir(), t.TempDir()
	library := filepath.Join(mine, "libzk_app_utils.so")
	if err := os.WriteFile(library, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, settings, state, shared string
	}{
		{"hardware by its library", fmt.Sprintf("[zymbit]\nlibrary = %q", library), all, all},
		{"hardware by setting", `backend = "zymbit"`, all, all},
		{"a slot of hardware", "[[slot]]\nname = \"a\"\nbackend = \"zymbit\"", filepath.Join(all, "a"), all},
		{"soft by setting", fmt.Sprintf("backend = \"soft\"\n[zymbit]\nlibrary = %q", library), mine, ""},
		{"soft without a library", fmt.Sprintf("[zymbit]\nlibrary = %q", library+".none"), mine, ""},
		{"a directory that is named", fmt.Sprintf("state = %q\nbackend = \"zymbit\"", "/named"), "/named", ""},
		{"a slot elsewhere", "[[slot]]\nstate = \"/elsewhere\"\nbackend = \"zymbit\"", "/elsewhere", ""},
	} {
		c, err := config.Source{File: "/f", Text: tt.settings, State: mine}.Load(func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		if s := placed(c, all).Slots[0]; s.State != tt.state || s.Shared != tt.shared {
			t.Errorf("%s: %s in %q, want %s in %q", tt.name, s.State, s.Shared, tt.state, tt.shared)
		}
	}
}

// TestPlacedWithoutLibrary: where all users have met hardware there is none in software.
func TestPlacedWithoutLibrary(t *testing.T) {
	mine, all := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(all, "zymbit.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Source{File: "/f", Text: "[zymbit]\nlibrary = \"/none\"", State: mine}.Load(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	c = placed(c, all)
	if o := (opener{settings: c, slot: c.Slots[0]}); !o.hardware() || o.slot.State != all {
		t.Errorf("in %s, hardware %t", o.slot.State, o.hardware())
	}
}

// TestAccessOfAll: the directory of all users is its group's when it was made for one.
func TestAccessOfAll(t *testing.T) {
	dir := t.TempDir()
	o := opener{slot: config.Slot{State: dir, Shared: dir}}
	for _, tt := range []struct {
		mode  fs.FileMode
		group int
	}{{0o700, -1}, {0o770 | fs.ModeSetgid, os.Getegid()}} {
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		if a, err := o.access(); err != nil || a.group != tt.group {
			t.Errorf("%v: %+v, %v", tt.mode, a, err)
		}
	}
	err := o.notMine(fmt.Errorf("open: %w", fs.ErrPermission))
	if !errors.Is(err, scm.ErrAbsent) || !strings.Contains(err.Error(), "usermod -aG zk_pkcs11") {
		t.Errorf("a stranger is told %v", err)
	}
}
