// SPDX-License-Identifier: Apache-2.0

package boundary_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// pointers runs testdata/pointers.c, which prints what is wrong.
func pointers(t *testing.T, mode string, variables ...string) {
	t.Helper()
	home := harness.NewHome(t)
	home.Settings("log.to = \"" + filepath.Join(t.TempDir(), "log") + "\"\n")
	home.Init()
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	home.Set("ZK_TEST_SO_PIN", harness.SOPIN)
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		home.Set(name, value)
	}
	if out := home.Run(harness.Compile(t, "testdata/pointers.c"), harness.Module(t), mode); out != "" {
		t.Errorf("printed:\n%s", out)
	}
}

// TestBadPointers calls every function with every pointer leading nowhere: each answers
// an error, makes nothing, and the host lives and has no fault to handle. Another thread keeps
// the collector at work, which looks at what the stacks hold.
func TestBadPointers(t *testing.T) {
	t.Parallel()
	pointers(t, "bad")
}

// TestEveryPointer holds the table of testdata/pointers.c against module/entry.c: it has each
// function that takes a pointer, alone or as one of those that only work together.
func TestEveryPointer(t *testing.T) {
	entries, err := os.ReadFile(filepath.Join(harness.Root(t), "module", "entry.c"))
	if err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile("testdata/pointers.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ENTRY\((\w+), \(.*?\), (.*)\)$`).FindAllSubmatch(entries, -1) {
		name, arguments := string(m[1]), string(m[2])
		if strings.Contains(arguments, "_PTR ") && !regexp.MustCompile(`\bC_`+name+`\b[^"]`).Match(calls) {
			t.Errorf("C_%s is not called", name)
		}
	}
}

// TestOnlyApproved has the variable in the environment with which Go refuses algorithms
// that FIPS 140 does not know.
func TestOnlyApproved(t *testing.T) {
	t.Parallel()
	pointers(t, "good", "GODEBUG=fips140=only")
}
