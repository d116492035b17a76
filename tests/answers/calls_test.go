// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"fmt"
	"slices"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestCalls counts what processes ask the module before their first signature: the first
// one that meets it, and the next. Most keys are those of another program, which makes them faster. zkOpen and zkClose are no calls of the module, but of the
// vendor's daemon.
func TestCalls(t *testing.T) {
	built, others := library(t, nil), harness.Compile(t, "testdata/make.c")
	for _, keys := range []int{0, 100, 512} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			t.Parallel()
			f := newFake(t, built)
			f.Init()
			mine := min(keys, 50)
			f.fill(mine)
			f.Run("env", "ZK_PKCS11_BACKEND=soft", others, harness.Build(t, "libzk_app_utils.so"), fmt.Sprint(keys-mine))
			f.forget()
			first, second := f.beforeSignature(), f.beforeSignature()
			t.Logf("with %d user keys: %d calls, then %d: %v", keys, len(first), len(second), second)
			if most := keys + 30; len(first) > most {
				t.Errorf("the first process makes %d calls, want at most %d", len(first), most)
			}
			if len(second) > 3 { // of which one unlocks the root
				t.Errorf("the second process makes %d calls: %v", len(second), second)
			}
		})
	}
}

// beforeSignature has a process sign, and returns the calls that come before that.
func (f *fake) beforeSignature() []string {
	f.t.Helper()
	f.called()
	if got := f.play("sign"); got["sign"] != "ok" {
		f.t.Errorf("sign: %v", got)
	}
	calls := slices.DeleteFunc(f.called(), func(call string) bool { return call == "zkOpen" || call == "zkClose" })
	end := slices.Index(calls, "zkGenECDSASigFromDigest")
	if end < 0 {
		f.t.Fatalf("no signature among %v", calls)
	}
	return calls[:end]
}
