// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// bootDevice is a device on a fake with a file of supervised boot.
func bootDevice(t *testing.T) (*fake, *Device) {
	t.Helper()
	f := newFake(t)
	if err := os.WriteFile(filepath.Join(f.Options().BootDir, "kernel"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, f.device()
}

func TestBootFiles(t *testing.T) {
	f, d := bootDevice(t)
	for _, signer := range []scm.Slot{0, scm.DefaultBootSlot} { // the second time it is an update
		f.restarted = true
		if err := d.AddBootFile("kernel", signer); err != nil {
			t.Errorf("signed by slot %d: %v", signer, err)
		}
	}
	f.restarted = true
	if names, err := d.BootManifest(); names != "kernel" || err != nil {
		t.Errorf("%q, %v", names, err)
	}
	if wrong, err := f.VerifyBootFiles(); err != nil || wrong != nil {
		t.Errorf("wrong: %q, %v", wrong, err)
	}
	f.restarted = true
	if err := d.RemoveBootFile("kernel"); err != nil {
		t.Error(err)
	}
	wantError(t, d.RemoveBootFile("kernel"), scm.ErrInput)
}

// TestBadBootFiles: what supervised boot cannot sign never gets to the module.
func TestBadBootFiles(t *testing.T) {
	f, d := bootDevice(t)
	for _, test := range []struct {
		path   string
		signer scm.Slot
		want   error
	}{
		{"", 0, scm.ErrInput},
		{".", 0, scm.ErrInput},
		{"/boot/kernel", 0, scm.ErrInput},
		{"../kernel", 0, scm.ErrInput},
		{"a kernel", 0, scm.ErrInput},
		{"kernel\x00", 0, scm.ErrInput},
		{"kernel", -1, scm.ErrSlotRange},
		{"kernel", scm.FirstUser, scm.ErrSlotRange},
	} {
		calls := f.count(func() { wantError(t, d.AddBootFile(test.path, test.signer), test.want) })
		if calls != 0 {
			t.Errorf("%q: %d calls", test.path, calls)
		}
	}
	wantError(t, d.AddBootFile("missing", 0), scm.ErrDevice)
}

// TestRemovalIsNotRepeated: a second one would fail where the first has worked.
func TestRemovalIsNotRepeated(t *testing.T) {
	f, d := bootDevice(t)
	if err := d.AddBootFile("kernel", 0); err != nil {
		t.Fatal(err)
	}
	f.calls, f.failures = nil, []error{nil, errTimeout}
	wantError(t, d.RemoveBootFile("kernel"), scm.ErrTimeout)
	if want := []string{"bootFiles", "removeBootFile"}; !slices.Equal(f.calls, want) {
		t.Errorf("calls %v, want %v", f.calls, want)
	}
}

func TestBootOverOldLibrary(t *testing.T) {
	f := newFake(t)
	d := f.device()
	for _, test := range []struct {
		lacks string
		do    func() error
	}{
		{bootList, func() error { _, err := d.BootManifest(); return err }},
		{bootAdd, func() error { return d.AddBootFile("kernel", 0) }},
		{bootRemove, func() error { return d.RemoveBootFile("kernel") }},
		{bootList, func() error { return d.RemoveBootFile("kernel") }},
	} {
		d.missing = []string{test.lacks}
		err := test.do()
		wantError(t, err, scm.ErrAbility)
		if !strings.Contains(err.Error(), test.lacks) {
			t.Errorf("%v does not tell of %s", err, test.lacks)
		}
	}
}
