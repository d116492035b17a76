// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/settings"
)

var (
	oldSecret = []byte("old secret")
	newSecret = []byte("new secret")
)

// seal makes secret the one that unseals the device, which stays open.
func seal(d *soft.Device, secret []byte) error {
	if err := d.Prepare(secret); err != nil {
		return err
	}
	return d.Unseal(secret)
}

func sign(d *soft.Device) error {
	_, err := d.Sign(0, make([]byte, 32))
	return err
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// TestPrepare checks that both secrets unseal until the new one has.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	d, other := open(t, dir, options), open(t, dir, options)
	wantError(t, "Seal", seal(d, oldSecret), nil)
	wantError(t, "Prepare", d.Prepare(newSecret), nil)
	wantError(t, "Unseal(old)", other.Unseal(oldSecret), nil)
	wantError(t, "Sign", sign(other), nil)
	wantError(t, "Unseal(new)", d.Unseal(newSecret), nil)
	wantError(t, "Sign", sign(d), nil)
	wantError(t, "Sign elsewhere", sign(other), scm.ErrSealed)
	wantError(t, "Unseal(old)", other.Unseal(oldSecret), scm.ErrSecret)
	wantError(t, "Unseal(new)", other.Unseal(newSecret), nil)
	checkWhole(t, other)
}

// TestPrepareFirst is TestPrepare with a device that was never sealed.
func TestPrepareFirst(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	wantError(t, "Prepare", d.Prepare(newSecret), nil)
	checkFiles(t, dir, "root.key")
	wantError(t, "Sign elsewhere", sign(open(t, dir, options)), nil)
	wantError(t, "Unseal", d.Unseal(newSecret), nil)
	checkFiles(t, dir)
	wantError(t, "Sign elsewhere", sign(open(t, dir, options)), scm.ErrSealed)
	checkWhole(t, d)
}

// TestPrepareAgain checks that a prepared secret that was lost does no harm.
func TestPrepareAgain(t *testing.T) {
	d := open(t, t.TempDir(), options)
	wantError(t, "Prepare", d.Prepare(oldSecret), nil)
	wantError(t, "Prepare", d.Prepare(newSecret), nil)
	wantError(t, "Unseal", d.Unseal(newSecret), nil)
	wantError(t, "Prepare", d.Prepare(oldSecret), nil)
	wantError(t, "Seal", seal(d, []byte("third")), nil)
	wantError(t, "Unseal", d.Unseal(oldSecret), scm.ErrSecret)
	wantError(t, "Unseal", d.Unseal([]byte("third")), nil)
}

func TestSealRefuses(t *testing.T) {
	d := open(t, t.TempDir(), options)
	wantError(t, "Prepare with no secret", d.Prepare(nil), scm.ErrInput)
	wantError(t, "Seal", seal(d, oldSecret), nil)
	d.Forget()
	wantError(t, "Prepare of a sealed device", d.Prepare(newSecret), scm.ErrSealed)
	d.Close()
	wantError(t, "Prepare after Close", d.Prepare(newSecret), scm.ErrAbsent)
	wantError(t, "Unseal after Close", d.Unseal(oldSecret), scm.ErrAbsent)
}

// TestSealDevice turns one way of sealing into the other and back.
func TestSealDevice(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	wantError(t, "Seal", seal(d, oldSecret), nil)
	d.Close()

	d = open(t, dir, soft.Options{Group: -1, Settings: soft.Settings{Seal: settings.SealDevice}})
	wantError(t, "Sign", sign(d), scm.ErrSealed)
	wantError(t, "Unseal", d.Unseal(oldSecret), nil)
	wantError(t, "Seal", seal(d, newSecret), nil)
	checkFiles(t, dir, "root.key")
	d.Forget()
	checkWhole(t, d)
	wantError(t, "Prepare", d.Prepare(newSecret), nil)
	wantError(t, "Unseal with any secret", d.Unseal(oldSecret), nil)
	checkFiles(t, dir, "root.key")
	d.Close()

	d = open(t, dir, options)
	checkWhole(t, d)
	wantError(t, "Seal", seal(d, newSecret), nil)
	checkFiles(t, dir)
	checkWhole(t, d)
}

// TestLeftRootKey checks that Open removes the root key file that a process left
// which died while its first secret took effect.
func TestLeftRootKey(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, options)
	path := filepath.Join(dir, "root.key")
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "Seal", seal(d, oldSecret), nil)
	if err := os.WriteFile(path, key, 0o600); err != nil {
		t.Fatal(err)
	}
	d = open(t, dir, options)
	checkFiles(t, dir)
	wantError(t, "Sign", sign(d), scm.ErrSealed)
}

// TestCopiedDirectory checks that the files of a sealed device are worth
// nothing without the secret, with the root key file of former times, too.
func TestCopiedDirectory(t *testing.T) {
	dir, stolen := t.TempDir(), t.TempDir()
	d := open(t, dir, options)
	if err := os.CopyFS(stolen, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	wantError(t, "Seal", seal(d, oldSecret), nil)
	k, err := d.Generate(scm.P256)
	if err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		flash, err := os.ReadFile(filepath.Join(dir, "flash.db"+suffix))
		if err == nil {
			err = os.WriteFile(filepath.Join(stolen, "flash.db"+suffix), flash, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(filepath.Join(stolen, "flash.db-shm"))
	thief := open(t, stolen, options)
	wantError(t, "Sign", sign(thief), scm.ErrSealed)
	if got, err := thief.PublicKey(k.Slot); err != nil {
		t.Errorf("PublicKey: %v, %v", got, err)
	}
}

// TestVolatileGone checks when volatile keys end.
func TestVolatileGone(t *testing.T) {
	dir := t.TempDir()
	for name, end := range map[string]func(d *soft.Device) error{
		"Forget":          func(d *soft.Device) error { d.Forget(); return nil },
		"Seal by another": func(d *soft.Device) error { return seal(open(t, dir, options), oldSecret) },
	} {
		d := open(t, dir, options)
		k, err := d.GenerateVolatile(scm.P256)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(d); err != nil {
			t.Fatal(err)
		}
		wantError(t, name, d.Unseal(oldSecret), nil)
		_, err = d.Sign(k.Slot, make([]byte, 32))
		wantError(t, name, err, scm.ErrSlotEmpty)
		again, err := d.GenerateVolatile(scm.P256)
		if err != nil || again.Slot >= k.Slot {
			t.Errorf("after %s: slot %d, %v; before %d", name, again.Slot, err, k.Slot)
		}
		d.Close()
		if err := soft.Destroy(dir); err != nil {
			t.Fatal(err)
		}
	}
}
