// SPDX-License-Identifier: Apache-2.0

package util

import (
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestLosses: before --init-token destroys something it is counted, named and asked for. Keys
// that other programs have made are left where they are.
func TestLosses(t *testing.T) {
	harness.Need(t, "pkcs11-tool")
	x := newTool(t, "")
	others := words("scm wallet create savings --recovery none")
	x.mustRun("", others...)
	x.mustRun("", words("scm wallet child savings m/1")...)
	again := words("--init-token --slot 0 --label device --pin 12345678 --so-pin 87654321")
	if out, errs := x.mustRun("", again...); strings.Contains(errs, "loses") || !strings.Contains(errs, "1 key and 0 foreign keys of other programs stay") {
		t.Errorf("a new token: %q, %q", out, errs)
	}
	module := harness.Build(t, "libzk_pkcs11.so")
	x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "07")
	before := x.scm("slots")
	for _, answer := range []string{"", "no\n"} {
		_, errs, err := x.run(answer, again...)
		if err == nil || !strings.Contains(errs, `1 key pair and 0 other objects`) || !strings.Contains(errs, `key slot 18 "mine"`) || !strings.Contains(errs, "nothing was done") {
			t.Errorf("answer %q: %v, %q", answer, err, errs)
		}
	}
	if after := x.scm("slots"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	for _, option := range []string{"--yes", "--force"} {
		x.mustRun("", append(again, option)...)
	}
	after := x.scm("slots")
	if !strings.Contains(after, "savings") || strings.Contains(after, "mine") {
		t.Errorf("after it was meant:\n%s", after)
	}
	x.home.Run("pkcs11-tool", "--module", module, "--login", "--pin", "12345678", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "mine", "--id", "07")
	x.mustRun("yes\n", again...)
}

// mustRun is run of what has to end well.
func (x *tool) mustRun(input string, args ...string) (out, errs string) {
	x.t.Helper()
	out, errs, err := x.run(input, args...)
	if err != nil {
		x.t.Fatalf("%q: %v\n%s%s", args, err, out, errs)
	}
	return out, errs
}
