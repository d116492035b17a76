// SPDX-License-Identifier: Apache-2.0

package guest_test

import "testing"

// TestCancel cancels threads in calls: the calls end first, and other threads and
// processes go on. SoftHSM2 ends the whole process then (its handler for C++
// exceptions catches what ends the thread); as a control it runs in a host that
// allows no cancellation in calls; it has no C_WaitForSlotEvent that blocks.
func TestCancel(t *testing.T) {
	program := compile(t, "cancel")
	for _, call := range []string{"login", "make", "sign", "wait"} {
		for _, kind := range []string{"deferred", "asynchronous"} {
			t.Run(call+"/"+kind, func(t *testing.T) {
				t.Parallel()
				newGuest(t).silent(t, program, call, kind, size(5, 100))
				if call != "wait" {
					newControl(t).silent(t, program, call, kind, "3", "shielded")
				}
			})
		}
	}
}

// TestCancelChoice: a thread's cancellation state and type are the same after a
// call as before.
func TestCancelChoice(t *testing.T) {
	program := compile(t, "cancel")
	withBoth(t, func(t *testing.T, host func(*testing.T) guest) {
		t.Parallel()
		host(t).silent(t, program, "choice")
	})
}
