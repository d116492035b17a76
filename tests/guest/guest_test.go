// SPDX-License-Identifier: Apache-2.0

// Package guest_test shows that the module is a good guest in a process: it
// leaves the host's threads, descriptors, memory, signals and outputs as they
// are. The hosts are C programs in testdata.
package guest_test

import (
	"os"
	"strconv"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// compile builds a host program.
func compile(t *testing.T, name string) string {
	t.Helper()
	return harness.Compile(t, "testdata/"+name+".c")
}

// newToken is a soft SCM whose token is ready, and whose PIN the programs find.
func newToken(t *testing.T) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	home.Set("ZK_TEST_PIN", harness.UserPIN)
	return home
}

// silent runs a scenario that must end well and print nothing.
func silent(t *testing.T, home *harness.Home, program string, args ...string) {
	t.Helper()
	if out := home.Run(program, append([]string{harness.Module(t)}, args...)...); out != "" {
		t.Errorf("printed %q", out)
	}
}

// size chooses between the short and the long form of a test.
func size(short, long int) string {
	if os.Getenv("ZK_SOAK") != "" {
		return strconv.Itoa(long)
	}
	return strconv.Itoa(short)
}

// TestFlat prints rows of the table in docs/PERFORMANCE.md: threads, descriptors
// and resident memory in kB, each before and after.
func TestFlat(t *testing.T) {
	program := compile(t, "flat")
	for scenario, n := range map[string]string{
		"cycles": size(200, 1000), "signatures": size(20000, 100000), "sessions": size(5, 50),
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			home := newToken(t)
			t.Log(home.Run(program, harness.Module(t), scenario, n))
		})
	}
}

func TestCrowd(t *testing.T) {
	program := compile(t, "crowd")
	for scenario, seconds := range map[string]string{
		"mixed": size(5, 60), "logins": size(3, 20), "finalize": size(3, 20),
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			silent(t, newToken(t), program, scenario, seconds)
		})
	}
}
