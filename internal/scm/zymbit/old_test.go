// SPDX-License-Identifier: Apache-2.0

package zymbit

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/tests/harness"
)

// oldLibrary is the library of testdata/old.c.
func oldLibrary(t *testing.T) *Device {
	t.Helper()
	harness.Need(t, "cc")
	path := filepath.Join(t.TempDir(), "libzk_app_utils.so")
	out, err := exec.Command("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-I",
		filepath.Join(harness.Root(t), "include"), "-o", path, "testdata/old.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return openOwn(t, Options{Library: path, Group: -1})
}

func TestOldABI(t *testing.T) {
	d := oldLibrary(t)
	missing := d.Missing()
	if len(missing) != 76-7 || !slices.Contains(missing, "zkGenKeyPair") || slices.Contains(missing, "zkOpen") {
		t.Errorf("missing: %v", missing)
	}
	info, err := d.Info()
	if want := (scm.Info{Model: "SCM", Manufacturer: "Zymbit", Serial: "unknown", Firmware: "unknown"}); info != want {
		t.Errorf("got %+v, %v", info, err)
	}
	keys, err := d.Keys()
	if err != nil || len(keys) != 3 || keys[2].Slot != 2 || keys[2].Curve != scm.P256 {
		t.Errorf("keys %v, %v", keys, err)
	}
	_, err = d.Generate(scm.P256)
	wantError(t, err, scm.ErrCurve)
}

// TestWrongSignature checks that a signature which the key did not make is not
// given out.
func TestWrongSignature(t *testing.T) {
	_, err := oldLibrary(t).Sign(0, make([]byte, 32))
	wantError(t, err, scm.ErrDevice)
}

// TestOutputsAreReleased has the library give out a gigabyte, of each kind of output.
func TestOutputsAreReleased(t *testing.T) {
	d := oldLibrary(t)
	for name, call := range map[string]func() error{
		"bytes":  func() error { return d.Random(make([]byte, 1)) },
		"text":   func() error { _, err := d.BootManifest(); return err },
		"secret": func() error { _, _, err := d.GenerateSeedBIP39(scm.WalletSeed{Name: "w"}); return err },
	} {
		before := resident(t)
		for range 1024 {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		if grown := resident(t) - before; grown > 200<<20 {
			t.Errorf("%s: the process has grown by %d MB", name, grown>>20)
		}
	}
}

// resident is how many bytes of memory the process has.
func resident(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
