// SPDX-License-Identifier: Apache-2.0

package soft_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

// smallDisk returns a directory on a disk of its own, of 2 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2M,mode=700"); err != nil {
		t.Skipf("no disk of its own: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill takes the disk's last byte, and returns what gives it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "full")
	file, err := os.Create(path)
	check(t, err)
	for size := 64 << 10; size > 0; {
		if _, err := file.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	check(t, file.Close())
	return func() { check(t, os.Remove(path)) }
}

// TestFullDisk uses an SCM where nothing can be stored any more.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	d := open(t, dir, options)
	check(t, seal(d, []byte("secret")))
	var keys []scm.Key
	for range 100 {
		keys = append(keys, generate(t, d, scm.P256))
	}
	empty := fill(t, dir)
	var err error
	for err == nil {
		var k scm.Key
		if k, err = d.Generate(scm.P256); err == nil {
			keys = append(keys, k)
		}
	}
	if !errors.Is(err, scm.ErrFull) {
		t.Errorf("Generate on a full disk: %v", err)
	}
	t.Logf("%d keys fit", len(keys))
	again := open(t, dir, options)
	check(t, again.Unseal([]byte("secret")))
	for _, d := range []*soft.Device{d, again} {
		checkWhole(t, d)
	}
	for _, k := range keys {
		check(t, again.Remove(k))
		_, err := d.Sign(k.Slot, make([]byte, 32))
		wantError(t, "Sign with a removed key", err, scm.ErrSlotEmpty)
	}
	empty()
	generate(t, d, scm.P256)
	checkWhole(t, again)
}
