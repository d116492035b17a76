// SPDX-License-Identifier: Apache-2.0

package boundary_test

import (
	"path/filepath"
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
// an error, makes nothing, and the host lives. Little memory between collections makes
// Go look at what its stacks hold more often.
func TestBadPointers(t *testing.T) {
	t.Parallel()
	pointers(t, "bad", "GOGC=5")
}

// TestOnlyApproved has the variable in the environment with which Go refuses algorithms
// that FIPS 140 does not know.
func TestOnlyApproved(t *testing.T) {
	t.Parallel()
	pointers(t, "good", "GODEBUG=fips140=only")
}
