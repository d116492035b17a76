// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
)

// options leave the group of files alone, for tests of users other than root.
var options = soft.Options{Group: -1}

func open(t testing.TB, dir string, o soft.Options) *soft.Device {
	t.Helper()
	d, err := soft.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestContract(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		return open(t, t.TempDir(), options)
	}, scmtest.Options{})
}

func TestContractSealDevice(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		return open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{Seal: settings.SealDevice}})
	}, scmtest.Options{KeepsOpen: true, SkipFull: "filled with the other way of sealing"})
}

func TestContractSealed(t *testing.T) {
	scmtest.Run(t, func(t *testing.T) scm.Device {
		d := open(t, t.TempDir(), options)
		if err := seal(d, []byte("at first")); err != nil {
			t.Fatal(err)
		}
		return d
	}, scmtest.Options{SkipFull: "filled without a secret"})
}

func TestShared(t *testing.T) {
	dir := t.TempDir()
	scmtest.RunShared(t, open(t, dir, options), open(t, dir, options))
}

// checkWhole checks that every key of the device signs as its public key says.
func checkWhole(t *testing.T, d *soft.Device) {
	t.Helper()
	keys, err := d.Keys()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) < scm.PermanentSlots {
		t.Errorf("only %d keys", len(keys))
	}
	digest := make([]byte, 32)
	for _, k := range keys {
		sig, err := d.Sign(k.Slot, digest)
		if err == nil {
			err = scmtest.Verify(k, digest, sig)
		}
		if err != nil {
			t.Errorf("slot %d: %v", k.Slot, err)
		}
	}
}

// checkFiles checks that the only root key files in dir are the named ones.
func checkFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "root.key*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	if !slices.Equal(found, want) {
		t.Errorf("root key files %q, want %q", found, want)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []soft.Options{
		{Settings: soft.Settings{Seal: "glue"}}, {Settings: soft.Settings{Ed25519: "always"}}, {Settings: soft.Settings{Defects: []string{"leaks"}}}, {Settings: soft.Settings{UserSlots: 513}}, {Settings: soft.Settings{UserSlots: -1}},
	} {
		if _, err := soft.Open(t.TempDir(), o); err == nil {
			t.Errorf("Open takes %+v", o)
		}
	}
	if _, err := soft.Open(filepath.Join(t.TempDir(), "missing"), options); err == nil {
		t.Error("Open takes a directory that does not exist")
	}
	d := open(t, t.TempDir(), soft.Options{Group: -1, Settings: soft.Settings{Firmware: "01.02.02release"}})
	info, err := d.Info()
	if err != nil || info.Firmware != "01.02.02release" || info.Model != "Soft SCM" || info.Manufacturer != "zk_pkcs11" {
		t.Errorf("Info: %+v, %v", info, err)
	}
}

func TestFileModes(t *testing.T) {
	for _, test := range []struct{ mode, flash, root fs.FileMode }{
		{0, 0o600, 0o600},
		{0o600, 0o600, 0o600},
		{0o660, 0o660, 0o640},
	} {
		dir := t.TempDir()
		open(t, dir, soft.Options{Group: os.Getgid(), Mode: test.mode})
		for name, want := range map[string]fs.FileMode{"flash.db": test.flash, "root.key": test.root} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode(); got != want {
				t.Errorf("mode %o: %s has %o, want %o", test.mode, name, got, want)
			}
		}
	}
}

// TestReopen checks what stays when nobody has the device open.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	before, err := d.Info()
	if err != nil {
		t.Fatal(err)
	}
	k, err := d.Generate(scm.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, dir, options)
	if after, err := d.Info(); err != nil || after != before {
		t.Errorf("Info: %v, %v; before %v", after, err, before)
	}
	if got, err := d.PublicKey(k.Slot); err != nil || !slices.Equal(got.Public, k.Public) {
		t.Errorf("PublicKey: %v, %v; want %v", got, err, k)
	}
	checkWhole(t, d)
}

func TestDestroy(t *testing.T) {
	dir := t.TempDir()
	if err := soft.Destroy(dir); err != nil {
		t.Errorf("Destroy with nothing there: %v", err)
	}
	d := open(t, dir, options)
	before, _ := d.Info()
	if err := soft.Destroy(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("Destroy leaves %v", left)
	}
	if _, err := d.Sign(0, make([]byte, 32)); !errors.Is(err, scm.ErrDevice) {
		t.Errorf("Sign with a destroyed device: error %v", err)
	}
	if after, _ := open(t, dir, options).Info(); after.Serial == before.Serial {
		t.Error("the new device has the serial number of the old one")
	}
}
