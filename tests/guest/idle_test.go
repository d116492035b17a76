// SPDX-License-Identifier: Apache-2.0

package guest_test

import "testing"

// TestIdle prints what a module costs that is loaded and initialised, and not used.
// SoftHSM2 brings the C++ library and OpenSSL along and opens its token, and is no
// control for the size.
func TestIdle(t *testing.T) {
	program, g := compile(t, "idle"), newGuest(t)
	g.prints(t, program, "unused")
	g.silent(t, program, "child")
	g.prints(t, program, "used")
}

// TestApart loads the module by dlmopen, and forks.
func TestApart(t *testing.T) {
	program := compile(t, "apart")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		g := host(t)
		for _, scenario := range []string{"loaded", "used"} {
			t.Run(scenario, func(t *testing.T) { g.silent(t, program, scenario) })
		}
	})
}
