// SPDX-License-Identifier: Apache-2.0

package guest_test

import (
	"errors"
	"os/exec"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestRealTime: threads of the runtime do not keep a host of real time from running, which
// has one processor for itself and them.
func TestRealTime(t *testing.T) {
	out, err := newToken(t).Command(compile(t, "realtime"), harness.Module(t), "alone").CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 77 {
		t.Skip("this user may not have real-time scheduling")
	}
	if err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
