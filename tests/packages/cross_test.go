// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestBoards builds the packages of the boards that carry an SCM, by Debian's cross compilers.
func TestBoards(t *testing.T) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("ZK_SOAK is not set: make soak runs this")
	}
	harness.Need(t, "make", "go", "dh", "go-md2man", "dh_installsysusers")
	for arch, want := range map[string]struct {
		machine   elf.Machine
		multiarch string
	}{
		"arm64": {elf.EM_AARCH64, "aarch64-linux-gnu"},
		"armhf": {elf.EM_ARM, "arm-linux-gnueabihf"},
	} {
		build := t.TempDir()
		cmd := exec.Command(filepath.Join(harness.Root(t), "scripts/deb.sh"))
		cmd.Env = append(os.Environ(), "ARCH="+arch, "BUILD="+build, "COMPRESSION=gzip", "MAKEFLAGS=", "MAKELEVEL=")
		run(t, cmd)
		for name, path := range map[string]string{
			"libzk-pkcs11":    "usr/lib/" + want.multiarch + "/libzk_pkcs11.so",
			"zk-pkcs11-utils": "usr/bin/zk_pkcs11-util",
			"zk-scm-emulator": "usr/lib/" + want.multiarch + "/zk-scm-emulator/libzk_app_utils.so",
		} {
			checkBoard(t, deb(t, filepath.Join(build, "packages"), name), arch, path, want.machine)
		}
	}
}

// checkBoard: a package is for an architecture, and so is what it depends on and has in it.
func checkBoard(t *testing.T, file, arch, path string, machine elf.Machine) {
	t.Helper()
	fields := run(t, exec.Command("dpkg-deb", "--field", file, "Architecture", "Depends"))
	if !strings.Contains(fields, "Architecture: "+arch+"\n") || !strings.Contains(fields, "libc6 (>= ") {
		t.Errorf("%s: %s", file, fields)
	}
	tree := t.TempDir()
	run(t, exec.Command("dpkg-deb", "--extract", file, tree))
	binary, err := elf.Open(filepath.Join(tree, path))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if binary.Machine != machine {
		t.Errorf("%s is for %v", path, binary.Machine)
	}
}
