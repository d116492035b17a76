// SPDX-License-Identifier: Apache-2.0

// Package sharing_test has several processes use one token at the same time: while one
// is stopped or killed in a change, while there is no room left, and while there are
// many objects. The processes are the C program in testdata. Each test prints what it
// has counted in one line; how fast it all is, the benchmark tells.
package sharing_test

import (
	"os"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// soak reports whether to take the time for numbers that are enough for a release.
func soak() bool { return os.Getenv("ZK_SOAK") != "" }

// size chooses between the short and the long form of a test.
func size[T any](short, long T) T {
	if soak() {
		return long
	}
	return short
}

// newToken is a soft SCM whose token is ready.
func newToken(t testing.TB) *harness.Home {
	t.Helper()
	home := harness.NewHome(t)
	home.Init()
	return home
}
