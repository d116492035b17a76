// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestAddressSanitizer runs hosts with the C code of the module, its SQLite and
// the hosts themselves built for AddressSanitizer, which finds bad accesses, and
// leaks at the end of a process. Nothing is suppressed. With ZK_ASAN it runs those that
// make sanitize has time for.
func TestAddressSanitizer(t *testing.T) {
	all, some := os.Getenv("ZK_SOAK") != "", os.Getenv("ZK_ASAN") != ""
	if !all && !some {
		t.Skip("building for AddressSanitizer takes minutes: set ZK_SOAK=1, or ZK_ASAN=1 for a few of them")
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
		{"tests/guest/testdata/children.c", [][]string{{"same"}}},
		{"tests/guest/testdata/signals.c", [][]string{
			{"14", "8192", "before", "none", "1", "3000"}, {"17", "32768", "loaded", "none", "4", "3000"}, {"10", "0", "called", "onstack", "4", "3000"},
		}},
		{"tests/guest/testdata/masks.c", [][]string{{"signalfd", "called"}, {"blocked", "child"}}},
		// Not cancel.c: AddressSanitizer takes what a cancelled thread leaves of its stack for errors.
		{"tests/guest/testdata/idle.c", [][]string{{"used"}, {"child"}}},
		{"tests/guest/testdata/latency.c", [][]string{{"event"}, {"logins"}}},
		{"tests/guest/testdata/limits.c", [][]string{{"nofile", "loaded", "256"}}},
		{"tests/fork/testdata/forks.c", [][]string{{"only-loaded"}, {"initialized"}, {"threads"}, {"generations"}}},
		{"tests/fork/testdata/handlers.c", [][]string{{"handler-after-module"}}},
		{"tests/fork/testdata/losses.c", [][]string{{"descriptors-closed"}, {"copy-impossible"}}},
		{"tests/boundary/testdata/boundary.c", [][]string{{"initialize"}, {"nulls"}, {"lengths"}, {"operations"}, {"empty"}}},
	}
	for _, tt := range tests {
		if !all && !slices.Contains(quick, filepath.Base(tt.source)) {
			continue
		}
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

// quick are the hosts that are done soon and come by most of the C code.
var quick = []string{"boundary.c", "children.c", "losses.c", "masks.c", "manners.c"}

// sanitized builds the module, as make does.
func sanitized(t *testing.T) string {
	t.Helper()
	root, module := harness.Root(t), filepath.Join(t.TempDir(), "libzk_pkcs11.so")
	runtime := filepath.Join(t.TempDir(), "runtime")
	run(t, filepath.Join(root, "scripts/runtime.sh"), runtime)
	flags := fmt.Sprintf("-extldflags '-Wl,--version-script=%s,-T,%s,--wrap=pthread_create,--wrap=pthread_key_create,--wrap=fsync,--wrap=fdatasync,--wrap=x_cgo_mmap'",
		filepath.Join(root, "module/export.map"), filepath.Join(root, "module/start.ld"))
	cmd := exec.Command("go", "build", "-asan", "-trimpath", "-buildmode=c-shared", "-overlay", filepath.Join(runtime, "overlay.json"),
		"-ldflags", flags, "-o", module, "./module")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build -asan: %v\n%s", err, out)
	}
	return module
}
