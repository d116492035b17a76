// SPDX-License-Identifier: Apache-2.0

package arch_test

import (
	"os"
	"os/exec"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestTypesFor32Bits compiles the tool, and with it nearly all packages, as far as types go, for an architecture
// where an int has 32 bits and structures of the kernel have other types. The packages of boards are built in the soak alone.
func TestTypesFor32Bits(t *testing.T) {
	t.Parallel()
	harness.Need(t, "arm-linux-gnueabihf-gcc", "go")
	cmd := exec.Command("go", "vet", "./cmd/zk_pkcs11-util")
	cmd.Dir = harness.Root(t)
	// The C of SQLite is compiled, too, and nobody runs it: quickly, then.
	cmd.Env = append(os.Environ(), "GOARCH=arm", "GOARM=7", "CC=arm-linux-gnueabihf-gcc", "CGO_ENABLED=1", "CGO_CFLAGS=-O0 -w")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
