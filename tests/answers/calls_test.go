// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"fmt"
	"slices"
	"testing"
)

// TestCalls counts what processes ask the module before their first signature: the first
// one that meets it, and the next. zkOpen and zkClose are no calls of the module, but of the
// vendor's daemon.
func TestCalls(t *testing.T) {
	built := library(t, nil)
	for _, keys := range []int{0, 100, 512} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			f := newFake(t, built)
			f.Init()
			f.fill(keys)
			f.forget()
			first, second := f.beforeSignature(), f.beforeSignature()
			t.Logf("with %d user keys: %d calls, then %d: %v", keys, len(first), len(second), second)
			if most := keys + 30; len(first) > most {
				t.Errorf("the first process makes %d calls, want at most %d", len(first), most)
			}
			if len(second) > 3 {
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
