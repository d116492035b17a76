// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// machine is an emulated computer: forks and threads there are those of its own kernel.
type machine struct {
	emulator string
	args     []string
	linker   string // the dynamic linker, by which the C library is found
}

var machines = map[string]machine{
	"arm64": {"qemu-system-aarch64", []string{"-machine", "virt", "-cpu", "cortex-a53"}, "ld-linux-aarch64.so.1"},
	"armhf": {"qemu-system-arm", []string{"-machine", "virt,highmem=off", "-cpu", "cortex-a15"}, "ld-linux-armhf.so.3"},
}

// libraries are what the module, the tool and the hosts are linked with.
var libraries = []string{"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libresolv.so.2", "libgcc_s.so.1"}

// forkScenarios are those of tests/fork that need nothing but the module.
var forkScenarios = map[string][]string{
	"forks":    {"only-loaded", "initialized", "threads", "one-copy-for-all-cycles", "generations"},
	"handlers": {"handler-before-module", "handler-after-module", "host-handlers", "pipe-ignored", "pipe-default"},
	"losses":   {"descriptors-closed", "descriptors-reused", "identity"},
	"locks":    {"killed-while-writing"},
}

// TestForksOnBoards forks hosts of the module on machines with the boards' processors, kernels of Debian and nothing
// else: qemu-user does not stand threads after a fork.
func TestForksOnBoards(t *testing.T) {
	kernels := os.Getenv("ZK_BOARDS")
	if kernels == "" {
		t.Skip("ZK_BOARDS names no folder with kernels: make test-boards runs this")
	}
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			m := machines[b.name]
			harness.Need(t, m.emulator, b.triplet+"-gcc", "make", "go", "cpio")
			kernel, err := filepath.Glob(filepath.Join(kernels, "board-"+b.name, "boot/vmlinuz-*"))
			if err != nil || len(kernel) != 1 {
				t.Skipf("there is no kernel for %s: %q, %v", b.name, kernel, err)
			}
			out := m.start(t, kernel[0], b.disk(t))
			t.Log(out)
			b.checkScenarios(t, out)
		})
	}
}

// disk makes what the machine begins with: the module, the hosts and what runs them.
func (b board) disk(t *testing.T) (file string) {
	t.Helper()
	dir, folder := t.TempDir(), b.build(t)
	for _, name := range []string{"proc", "dev", "tmp", "lib", "board", "etc"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	from := filepath.Join("/usr", b.triplet, "lib")
	for _, name := range append(libraries, machines[b.name].linker) {
		b.run(t, exec.Command("cp", "-L", filepath.Join(from, name), filepath.Join(dir, "lib")))
	}
	b.run(t, exec.Command("cp", filepath.Join(folder, "libzk_pkcs11.so"), filepath.Join(dir, "board")))
	b.compile(t, "testdata/init.c", filepath.Join(dir, "init"), "-static")
	var lines strings.Builder
	for host, scenarios := range forkScenarios {
		b.compile(t, filepath.Join("../fork/testdata", host+".c"), filepath.Join(dir, "board", host))
		for _, scenario := range scenarios {
			lines.WriteString("/board/" + host + " /board/libzk_pkcs11.so " + scenario + "\n")
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tests"), []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "disk")
	b.run(t, exec.Command("sh", "-euc", `cd "$1"; find . | cpio --quiet -o -H newc >"$2"`, "sh", dir, file))
	return file
}

// compile compiles a C program for the board.
func (b board) compile(t *testing.T, source, program string, flags ...string) {
	t.Helper()
	root := harness.Root(t)
	args := append([]string{"-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O1", "-I" + filepath.Join(root, "include"),
		"-I" + filepath.Join(root, "tests/harness/testdata"), "-o", program, source}, flags...)
	b.run(t, exec.Command(b.triplet+"-gcc", append(args, "-ldl", "-lpthread")...))
}

// start starts the machine, and returns what its console shows until it is switched off.
func (m machine) start(t *testing.T, kernel, disk string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.emulator, append(m.args, "-m", "1024", "-smp", "2", "-display", "none", "-serial", "stdio",
		"-nic", "none", "-no-reboot", "-kernel", kernel, "-initrd", disk, "-append", "console=ttyAMA0 quiet panic=-1")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}

// checkScenarios: all of them ended well. On 32 bits the fifth generation has no room for its copy beside those of
// its ancestors: it says so, and they see it end.
func (b board) checkScenarios(t *testing.T, out string) {
	t.Helper()
	for host, scenarios := range forkScenarios {
		for _, scenario := range scenarios {
			line := ": /board/" + host + " /board/libzk_pkcs11.so " + scenario + "\n"
			_, said, _ := strings.Cut(out, "begins"+line)
			said, _, ended := strings.Cut(said, "ended with 0"+line)
			if b.name == "armhf" && scenario == "generations" {
				ended = strings.HasPrefix(said, "libzk_pkcs11: error: this process has no room for the module")
			}
			if !ended {
				t.Errorf("%s %s has not ended well", host, scenario)
			}
		}
	}
}
