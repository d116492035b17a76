// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestStrangers links a host in the ways that README.md says the module cannot be
// used in. When one of them works, the README and docs/clients/p11-kit-server.md are
// out of date. The host as it should be is the control.
func TestStrangers(t *testing.T) {
	tests := []struct {
		name     string
		compiler []string
		crashes  bool // may do so; else it has to say why it ends
		works    bool
	}{
		{"dynamic", []string{"cc"}, false, true},
		{"static", []string{"cc", "-static"}, true, false},
		{"musl", []string{"musl-gcc"}, false, false},
		{"musl, static", []string{"musl-gcc", "-static"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := newToken(t).Try(stranger(t, tt.compiler), harness.Module(t))
			if works := err == nil && out == "done\n"; works != tt.works {
				t.Errorf("works: %v, want %v: %v\n%s", works, tt.works, err, out)
			}
			t.Logf("%v: %s", err, out)
			if !tt.works && !tt.crashes && (out == "" || strings.Contains(err.Error(), "signal")) {
				t.Errorf("want a reason, not %v", err)
			}
		})
	}
}

// TestStrangersOfP11Kit: p11-kit's client is no way out for a host that is linked
// statically.
func TestStrangersOfP11Kit(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob("/usr/lib/*/pkcs11/p11-kit-client.so")
	if err != nil || len(found) == 0 {
		t.Skip("p11-kit-client.so is not installed (p11-kit-modules)")
	}
	for _, compiler := range [][]string{{"cc", "-static"}, {"musl-gcc"}} {
		out, err := newToken(t).Try(stranger(t, compiler), found[0])
		if err == nil || strings.Contains(out, "C_Initialize") {
			t.Errorf("%s: got as far as C_Initialize: %v\n%s", strings.Join(compiler, " "), err, out)
		}
	}
}

func stranger(t *testing.T, compiler []string) string {
	t.Helper()
	harness.Need(t, compiler[0])
	root, program := harness.Root(t), filepath.Join(t.TempDir(), "stranger")
	args := append(compiler[1:], "-w", "-I"+filepath.Join(root, "include"), "-I"+filepath.Join(root, "tests/harness/testdata"),
		"-o", program, "testdata/stranger.c", "-ldl", "-lpthread")
	if out, err := exec.Command(compiler[0], args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(compiler, " "), err, out)
	}
	return program
}
