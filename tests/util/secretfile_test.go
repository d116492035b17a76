// SPDX-License-Identifier: Apache-2.0

package util

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"libzk_pkcs11/tests/harness"
)

// TestSecretReplacesNothing: a locked secret that comes while another one is locked to the same
// file stays: a disk may have it already.
func TestSecretReplacesNothing(t *testing.T) {
	h := harness.NewHome(t)
	h.Init()
	dir := t.TempDir()
	from, file := filepath.Join(dir, "from"), filepath.Join(dir, "disk.secret")
	if err := unix.Mkfifo(from, 0o600); err != nil {
		t.Fatal(err)
	}
	late := make(chan error)
	go func() { late <- comeBetween(from, file) }()
	out, failed := h.Try(harness.Build(t, "zk_pkcs11-util"), "secret", "lock", file, "--from", from, "--pin", harness.UserPIN)
	reader, err := os.OpenFile(from, os.O_RDWR, 0) // for a writer that still waits for one
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := <-late; err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if failed == nil || err != nil || string(content) != "another" {
		t.Errorf("the file holds %d bytes, %v; the command said %v\n%s", len(content), err, failed, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("there are %v, %v", left, err)
	}
}

// TestSecretOfDirectory: what cannot be read is no file without a secret.
func TestSecretOfDirectory(t *testing.T) {
	h := harness.NewHome(t)
	h.Init()
	out, err := h.Try(harness.Build(t, "zk_pkcs11-util"), "secret", "unlock", t.TempDir(), "--pin", harness.UserPIN)
	if err == nil || !strings.Contains(out, "is a directory") {
		t.Errorf("%v\n%s", err, out)
	}
}

// comeBetween writes the file when the command has begun to read its secret.
func comeBetween(from, file string) error {
	f, err := os.OpenFile(from, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = os.WriteFile(file, []byte("another"), 0o600)
	_, errSecret := f.WriteString("passphrase")
	return errors.Join(err, errSecret, f.Close())
}
