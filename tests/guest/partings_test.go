// SPDX-License-Identifier: Apache-2.0

package guest_test

import "testing"

// TestEndOfThreads calls in destructors of threads, also with pointers that lead nowhere,
// when the runtime has taken leave of the thread.
func TestEndOfThreads(t *testing.T) {
	if out, log, err := newGuest(t).run(compile(t, "partings"), "threads"); err != nil {
		t.Errorf("%v\n%s%s", err, head(out), head(log))
	}
}

// TestEndInFirstCall ends the process by a handler that comes in the first call, with
// C_Finalize in a function of atexit.
func TestEndInFirstCall(t *testing.T) {
	program := compile(t, "partings")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		host(t).silent(t, program, "first")
	})
}
