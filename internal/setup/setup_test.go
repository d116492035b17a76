// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/config"
	"libzk_pkcs11/internal/scm/zymbit"
)

// settings are those of one slot.
func settings(t *testing.T, backend config.Backend, library string) config.Config {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	c := config.Config{State: dir, Slots: []config.Slot{{Name: "scm0", Backend: backend, State: dir}}}
	c.Zymbit.Library = library
	return c
}

func TestHardware(t *testing.T) {
	there := filepath.Join(t.TempDir(), "lib.so")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		backend config.Backend
		library string
		want    bool
	}{
		{config.BackendSoft, there, false},
		{config.BackendZymbit, "/nowhere/lib.so", true},
		{config.BackendAuto, there, true},
		{config.BackendAuto, "lib.so", true},
		{config.BackendAuto, "/nowhere/lib.so", false},
	}
	for _, tt := range tests {
		slot := Options(settings(t, tt.backend, tt.library), nil, Process{}).Slots[0]
		if slot.Hardware != tt.want {
			t.Errorf("%s with %s: hardware %v, want %v", tt.backend, tt.library, slot.Hardware, tt.want)
		}
	}
}

// TestNoFallback checks that a slot of hardware is not served by software.
func TestNoFallback(t *testing.T) {
	c := settings(t, config.BackendZymbit, "/nowhere/lib.so")
	device, _, err := Options(c, nil, Process{}).Slots[0].Open()
	if !errors.Is(err, zymbit.ErrLibrary) || device != nil {
		t.Errorf("got %v, %v", device, err)
	}
}

func TestOpenSoft(t *testing.T) {
	c := settings(t, config.BackendZymbit, "")
	d, err := OpenSoft(c, c.Slots[0], Process{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if s, err := os.Stat(c.State); err != nil || s.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", s, err)
	}
}
