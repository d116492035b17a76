// SPDX-License-Identifier: Apache-2.0

// Package fork_test forks hosts of the module in every state that hosts fork
// in. The hosts are in testdata/forks.c.
package fork_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// compile builds the host program.
func compile(t *testing.T) string {
	t.Helper()
	harness.Need(t, "cc")
	program := filepath.Join(t.TempDir(), "forks")
	include := "-I" + filepath.Join(harness.Root(t), "include")
	out, err := exec.Command("cc", "-Wall", "-Werror", "-O1", include, "-o", program, "testdata/forks.c", "-ldl", "-lpthread").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// ways are the ways to a fresh copy that a scenario can be held to; "" leaves
// the choice to the module.
var ways = []string{"", "memfd", "path", "file"}

func TestForks(t *testing.T) {
	program := compile(t)
	tests := []struct {
		scenario string
		ways     []string
		prepare  func(*testing.T, *harness.Home)
	}{
		{"only-loaded", ways, nil},
		{"initialized", ways, nil},
		{"handler-before-module", ways, nil},
		{"handler-after-module", ways, nil},
		{"threads", ways, nil},
		{"one-copy-for-all-cycles", ways, nil},
		{"generations", ways, nil},
		{"two-images", ways, secondImage},
		{"descriptors-closed", ways, nil},
		{"descriptors-reused", ways, nil},
		{"root-without-proc", []string{"", "memfd"}, emptyRoot},
		{"copy-impossible", []string{""}, nil},
		{"host-handlers", []string{""}, nil},
		{"pipe-ignored", []string{""}, nil},
		{"pipe-default", []string{""}, nil},
		{"identity", []string{""}, nil},
		{"settings-of-parent", []string{""}, threeSlots},
		{"settings-of-child", []string{""}, threeSlots},
		{"killed-while-writing", []string{""}, nil},
	}
	for _, tt := range tests {
		for _, way := range tt.ways {
			t.Run(tt.scenario+"/"+way, func(t *testing.T) {
				t.Parallel()
				home := harness.NewHome(t)
				home.Set("ZK_PKCS11_FORK_COPY", way)
				if tt.prepare != nil {
					tt.prepare(t, home)
				}
				run(t, home, program, tt.scenario)
			})
		}
	}
}

// run expects no output but the line that a failure to load a copy is to log.
func run(t *testing.T, home *harness.Home, program, scenario string) {
	t.Helper()
	out := home.Run(program, harness.Module(t), scenario)
	const problem = "libzk_pkcs11: error: a forked process needs a copy of "
	if scenario == "copy-impossible" {
		if strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, problem) {
			t.Errorf("logged %q, want one line", out)
		}
	} else if out != "" {
		t.Errorf("printed %q", out)
	}
}

func secondImage(t *testing.T, home *harness.Home) {
	t.Helper()
	image, err := os.ReadFile(harness.Module(t))
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "second.so")
	if err := os.WriteFile(second, image, 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_TEST_SECOND", second)
}

func emptyRoot(t *testing.T, home *harness.Home) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may change its root directory")
	}
	home.Set("ZK_TEST_ROOT", t.TempDir())
}

func threeSlots(t *testing.T, home *harness.Home) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(file, []byte("[[slot]]\n[[slot]]\n[[slot]]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_CONF", file)
}
