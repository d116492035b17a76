// SPDX-License-Identifier: Apache-2.0

// Package apputils_test runs programs that are written for the vendor's C API
// against our libzk_app_utils.so. The programs are in testdata.
package apputils_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// library is the path of libzk_app_utils.so.
func library(t *testing.T) string { return harness.Build(t, "libzk_app_utils.so") }

// compile builds a program that is linked with the library.
func compile(t *testing.T, source string) string {
	t.Helper()
	harness.Need(t, "cc")
	program := filepath.Join(t.TempDir(), "program")
	out, err := exec.Command("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1",
		"-I", filepath.Join(harness.Root(t), "include"), "-o", program, source, library(t), "-lpthread").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// newHome is a home of an SCM for programs that look for the library.
func newHome(t *testing.T) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	home.Set("LD_LIBRARY_PATH", filepath.Dir(library(t)))
	return home
}

func TestPrograms(t *testing.T) {
	for _, source := range []string{"contexts.c", "foreign.c", "lock.c", "guards.c", "wallet.c", "stale.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			cmd := newHome(t).Command(compile(t, filepath.Join("testdata", source)))
			cmd.Dir = t.TempDir()
			if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestOnlyApproved has the variable in the environment with which Go refuses algorithms that
// FIPS 140 does not know.
func TestOnlyApproved(t *testing.T) {
	for _, source := range []string{"lock.c", "guards.c", "wallet.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			home := newHome(t)
			home.Set("GODEBUG", "fips140=only")
			cmd := home.Command(compile(t, filepath.Join("testdata", source)))
			cmd.Dir = t.TempDir()
			if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestBadPointers: the library may write to its log what it thinks of them.
func TestBadPointers(t *testing.T) {
	t.Parallel()
	cmd := newHome(t).Command(compile(t, "testdata/pointers.c"))
	cmd.Dir = t.TempDir()
	var printed, logged strings.Builder
	cmd.Stdout, cmd.Stderr = &printed, &logged
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s\n%s", err, printed.String(), logged.String())
	}
}

// older are functions of the vendor's older libraries, which answer that they are none.
var older = []string{"zkVerifyECDSASigFromDigestWithForeignKey", "zkSetGMTTime"}

// TestSymbols checks that the library shows the functions of the header, the older ones and
// the door by which an image meets its copy, and nothing else.
func TestSymbols(t *testing.T) {
	harness.Need(t, "nm", "cc")
	symbols, err := exec.Command("nm", "-D", "--defined-only", library(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	header, err := exec.Command("cc", "-E", "-P", filepath.Join(harness.Root(t), "include", "zk_app_utils.h")).Output()
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{"zk_app_utils_adopt": true}
	for _, name := range older {
		declared[name] = true
	}
	for _, m := range regexp.MustCompile(`\bint (zk\w+) \(`).FindAllStringSubmatch(string(header), -1) {
		declared[m[1]] = true
	}
	for line := range strings.Lines(string(symbols)) {
		fields := strings.Fields(line)
		name := fields[len(fields)-1]
		if !declared[name] {
			t.Errorf("%s is exported, and no function of the header", name)
		}
		delete(declared, name)
	}
	for name := range declared {
		t.Errorf("%s is not exported", name)
	}
}
