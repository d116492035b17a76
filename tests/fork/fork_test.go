// SPDX-License-Identifier: Apache-2.0

// Package fork_test forks hosts of the module in every state that hosts fork
// in. The hosts are C programs in testdata.
package fork_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// ways are the ways to a fresh copy that a scenario can be held to; "" leaves
// the choice to the module.
var ways = []string{"", "memfd", "path", "file"}

func TestForks(t *testing.T) {
	tests := []struct {
		host, scenario string
		ways           []string
		prepare        func(*testing.T, *harness.Home)
	}{
		{"forks", "only-loaded", ways, nil},
		{"forks", "initialized", ways, nil},
		{"handlers", "handler-before-module", ways, nil},
		{"handlers", "handler-after-module", ways, nil},
		{"forks", "threads", ways, nil},
		{"forks", "one-copy-for-all-cycles", ways, nil},
		{"forks", "generations", ways, nil},
		{"forks", "two-images", ways, secondImage},
		{"losses", "descriptors-closed", ways, nil},
		{"losses", "descriptors-reused", ways, nil},
		{"losses", "root-without-proc", []string{"", "memfd"}, emptyRoot},
		{"losses", "bound-without-etc", []string{""}, boundRoot},
		{"losses", "copy-impossible", []string{""}, nil},
		{"handlers", "host-handlers", []string{""}, nil},
		{"handlers", "pipe-ignored", []string{""}, nil},
		{"handlers", "pipe-default", []string{""}, nil},
		{"losses", "identity", []string{""}, nil},
		{"losses", "settings-of-parent", []string{""}, threeSlots},
		{"losses", "settings-of-child", []string{""}, threeSlots},
		{"locks", "killed-while-writing", []string{""}, nil},
		{"allocators", "own-allocator", []string{"", "memfd"}, readyToken},
	}
	programs := map[string]string{}
	for _, tt := range tests {
		if programs[tt.host] == "" {
			programs[tt.host] = harness.Compile(t, "testdata/"+tt.host+".c")
		}
		for _, way := range tt.ways {
			t.Run(tt.scenario+"/"+way, func(t *testing.T) {
				t.Parallel()
				home := harness.NewHome(t)
				harness.LeaveWay(t, home, way)
				if tt.prepare != nil {
					tt.prepare(t, home)
				}
				run(t, home, programs[tt.host], tt.scenario)
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

func readyToken(t *testing.T, home *harness.Home) {
	t.Helper()
	home.Init()
	home.Set("ZK_TEST_PIN", harness.UserPIN)
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
	home.FillMemory()
	home.Set("ZK_TEST_ROOT", t.TempDir())
}

// boundRoot makes an SCM in production mode whose state is within another root
// directory, under the name that it has outside.
func boundRoot(t *testing.T, home *harness.Home) {
	t.Helper()
	if _, err := os.Stat("/etc/machine-id"); err != nil {
		t.Skipf("an SCM is bound to all hosts without an identity: %v", err)
	}
	emptyRoot(t, home)
	tool := harness.Build(t, "zk_pkcs11-util")
	home.Run("env", "ZK_PKCS11_BACKEND=soft", tool, "scm", "lock-binding", "--yes")
	home.Run("env", "ZK_PKCS11_BACKEND=soft", tool, "scm", "inject", "boot")
	root := t.TempDir()
	home.Set("ZK_TEST_ROOT", root)
	inside := filepath.Join(root, home.Dir)
	if err := errors.Join(os.MkdirAll(filepath.Dir(inside), 0o700), os.Rename(home.Dir, inside), os.Symlink(inside, home.Dir)); err != nil {
		t.Fatal(err)
	}
}

func threeSlots(t *testing.T, home *harness.Home) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "zk.toml")
	if err := os.WriteFile(file, []byte("[[slot]]\n[[slot]]\n[[slot]]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home.Set("ZK_PKCS11_CONF", file)
}
