// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestPlainBuild: without the flags that make gives to the compiler and the linker the
// runtime starts when the module is loaded, and all else works.
func TestPlainBuild(t *testing.T) {
	t.Parallel()
	module := filepath.Join(t.TempDir(), "libzk_pkcs11.so")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", module, "./module")
	cmd.Dir = harness.Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	home := newToken(t)
	for _, scenario := range []string{"sigpipe", "sigsegv", "sigprof", "unload", "exit"} {
		if out := home.Run(compile(t, "manners"), module, scenario); out != "" {
			t.Errorf("%s printed %q", scenario, out)
		}
	}
	if out := home.Run(compile(t, "children"), module, "same"); out != "" {
		t.Errorf("a forked child printed %q", out)
	}
}
