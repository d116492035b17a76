// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/tests/harness"
)

// TestFullDisk: an import that fills the disk in the middle leaves nothing of itself, and says so in one line.
func TestFullDisk(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	if os.Geteuid() != 0 {
		t.Skip("a small file system is mounted by root")
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=2600k,mode=0700"); err != nil {
		t.Skipf("no small file system: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_HOME", dir)
	home.Init()
	var many bytes.Buffer
	for range 30 {
		many.Write(pemOf(selfSigned(t, strings.Repeat("long name ", 2000))))
	}
	file := filepath.Join(t.TempDir(), "many.pem")
	if err := os.WriteFile(file, many.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "fill"), 400<<10)
	out, err := (&tool{t, home}).run("pem", file)
	if err == nil || !strings.Contains(out, "zk_pkcs11-util: nothing was imported: there is no room") {
		t.Errorf("%v, %q", err, out)
	}
	out = home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--list-objects", "--type", "cert")
	if strings.Contains(out, "Certificate Object") {
		t.Errorf("there is\n%.1000s", out)
	}
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
}

// fill leaves so many bytes on a disk.
func fill(t *testing.T, path string, left int64) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, max(0, int64(s.Bavail)*s.Bsize-left)), 0o600); err != nil {
		t.Fatal(err)
	}
}
