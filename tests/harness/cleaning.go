// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"debug/buildinfo"
	"strings"
	"testing"
)

// NeedCleaning skips a test for a module that was built without the experiment of Go by which
// it cleans up after functions that handle secrets.
func NeedCleaning(t testing.TB) {
	t.Helper()
	info, err := buildinfo.ReadFile(Module(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "GOEXPERIMENT" && strings.Contains(s.Value, "runtimesecret") {
			return
		}
	}
	t.Skip("the module was not built with GOEXPERIMENT=runtimesecret, as make does")
}
