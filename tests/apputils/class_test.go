// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestClass builds a program in C++ with the headers as they are installed, and runs it.
func TestClass(t *testing.T) {
	t.Parallel()
	harness.Need(t, "c++", "make", "install")
	dir := t.TempDir()
	install := exec.Command("make", "-C", harness.Root(t), "install-emulator", "DESTDIR="+dir, "PREFIX=/usr")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program := filepath.Join(dir, "program")
	out, err := exec.Command("c++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-I"+filepath.Join(dir, "usr/include/zymkey"),
		"-o", program, "testdata/class.cpp", library(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := newHomeWith(t, "[soft]\nremove_empty = false\n").Command(program)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestVendorsLibraryStays: make does not put our library into the place of the vendor's.
func TestVendorsLibraryStays(t *testing.T) {
	t.Parallel()
	harness.Need(t, "make")
	dir := t.TempDir()
	there := filepath.Join(dir, "usr/lib/libzk_app_utils.so")
	if err := os.MkdirAll(filepath.Dir(there), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(there, []byte("the vendor's"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("make", "-C", harness.Root(t), "install-emulator", "DESTDIR="+dir, "PREFIX=/usr").CombinedOutput()
	if text, _ := os.ReadFile(there); err == nil || string(text) != "the vendor's" {
		t.Errorf("%v\n%s", err, out)
	}
}
