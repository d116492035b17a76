// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestAddressSanitizer runs hosts with the C code of the module, its SQLite and
// the hosts themselves built for AddressSanitizer, which finds bad accesses, and
// leaks at the end of a process. Nothing is suppressed.
func TestAddressSanitizer(t *testing.T) {
	if os.Getenv("ZK_SOAK") == "" {
		t.Skip("building for AddressSanitizer takes minutes: set ZK_SOAK=1")
	}
	module := sanitized(t)
	root := harness.Root(t)
	tests := []struct {
		source    string
		scenarios [][]string
	}{
		{"tests/guest/testdata/flat.c", [][]string{{"signatures", "2000"}, {"sessions", "2"}}},
		{"tests/guest/testdata/crowd.c", [][]string{{"mixed", "20"}, {"logins", "10"}, {"finalize", "10"}}},
		{"tests/guest/testdata/manners.c", [][]string{{"sigpipe"}, {"unload"}, {"exit"}}},
		{"tests/guest/testdata/heirs.c", [][]string{{"same"}}},
		{"tests/fork/testdata/forks.c", [][]string{{"only-loaded"}, {"initialized"}, {"threads"}, {"generations"}}},
		{"tests/fork/testdata/handlers.c", [][]string{{"handler-after-module"}}},
		{"tests/fork/testdata/losses.c", [][]string{{"descriptors-closed"}, {"copy-impossible"}}},
		{"tests/boundary/testdata/boundary.c", [][]string{{"initialize"}, {"nulls"}, {"lengths"}, {"operations"}}},
	}
	for _, tt := range tests {
		program := filepath.Join(t.TempDir(), filepath.Base(tt.source)+".asan")
		run(t, "cc", "-fsanitize=address", "-O1", "-g", "-I"+filepath.Join(root, "include"), "-I"+filepath.Join(root, "tests/harness/testdata"),
			"-o", program, filepath.Join(root, tt.source), "-ldl", "-lpthread")
		for _, scenario := range tt.scenarios {
			t.Run(filepath.Base(tt.source)+"/"+scenario[0], func(t *testing.T) {
				home := newToken(t)
				home.Run(program, append([]string{module}, scenario...)...)
			})
		}
	}
}

// sanitized builds the module.
func sanitized(t *testing.T) string {
	t.Helper()
	root, module := harness.Root(t), filepath.Join(t.TempDir(), "libzk_pkcs11.so")
	flags := "-extldflags '-Wl,--version-script=" + filepath.Join(root, "module/export.map") + "'"
	cmd := exec.Command("go", "build", "-asan", "-trimpath", "-buildmode=c-shared", "-ldflags", flags, "-o", module, "./module")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build -asan: %v\n%s", err, out)
	}
	return module
}
