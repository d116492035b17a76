// SPDX-License-Identifier: Apache-2.0

// Package arch_test runs the module that is built for the boards with an SCM, by qemu's emulation of their processors.
package arch_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// board is an architecture: by the names of Debian, Go, the compiler and the emulator.
type board struct{ name, goarch, triplet, emulator string }

var boards = []board{
	{"arm64", "arm64", "aarch64-linux-gnu", "qemu-aarch64"},
	{"armhf", "arm", "arm-linux-gnueabihf", "qemu-arm"},
}

// need skips the test where the tools for the architecture are missing, and where it takes too long.
func (b board) need(t *testing.T) {
	t.Helper()
	if os.Getenv("ZK_ARCH") == "" {
		t.Skip("ZK_ARCH is not set: make test-arch runs this")
	}
	harness.Need(t, b.emulator, b.triplet+"-gcc", "make", "go")
}

// build builds the module and the tool.
func (b board) build(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	b.run(t, exec.Command("make", "--no-print-directory", "-C", harness.Root(t), "build", "BUILD="+folder))
	return folder
}

// run runs a command that compiles for the architecture.
func (b board) run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Env = append(os.Environ(), "GOARCH="+b.goarch, "GOARM=7", "CC="+b.triplet+"-gcc", "CGO_ENABLED=1", "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// emulated are the arguments that run a program of the architecture, with its C library.
func (b board) emulated(program string, args ...string) []string {
	return append([]string{b.emulator, "-L", filepath.Join("/usr", b.triplet), program}, args...)
}

// TestSmoke initialises a token with the tool, and signs with it through the module, in C.
func TestSmoke(t *testing.T) {
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			b.need(t)
			folder := b.build(t)
			home := harness.NewHome(t)
			home.Set("ZK_TEST_PIN", harness.UserPIN)
			run := b.emulated(filepath.Join(folder, "zk_pkcs11-util"), "--init-token", "--slot", "0", "--label", harness.Label,
				"--pin", harness.UserPIN, "--so-pin", harness.SOPIN)
			home.Run(run[0], run[1:]...)
			program, root := filepath.Join(folder, "smoke"), harness.Root(t)
			b.run(t, exec.Command(b.triplet+"-gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-I"+filepath.Join(root, "include"),
				"-I"+filepath.Join(root, "tests/harness/testdata"), "-o", program, "testdata/smoke.c", "-ldl", "-lpthread"))
			run = b.emulated(program, filepath.Join(folder, "libzk_pkcs11.so"))
			t.Log(home.Run(run[0], run[1:]...))
			info, err := os.Stat(filepath.Join(folder, "libzk_pkcs11.so"))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("the module has %d kB", info.Size()/1024)
		})
	}
}

// TestProvider runs the provider's own tests.
func TestProvider(t *testing.T) {
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			b.need(t)
			program := filepath.Join(t.TempDir(), "pkcs11.test")
			b.run(t, exec.Command("go", "test", "-C", harness.Root(t), "-c", "-o", program, "./pkcs11"))
			args := b.emulated(program, "-test.short", "-test.timeout", "40m")
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = filepath.Join(harness.Root(t), "pkcs11")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestABI: the module of each board exports what that of this machine does.
func TestABI(t *testing.T) {
	want := exported(t, harness.Module(t))
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			b.need(t)
			if got := exported(t, filepath.Join(b.build(t), "libzk_pkcs11.so")); got != want {
				t.Errorf("it exports\n%s\nand the module for this machine\n%s", got, want)
			}
		})
	}
}

func exported(t *testing.T, path string) string {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}
