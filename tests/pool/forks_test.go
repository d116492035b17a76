// SPDX-License-Identifier: Apache-2.0

package pool

import (
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestForks: forked children sign with the pool beside their parent, whether they begin anew or go on.
func TestForks(t *testing.T) {
	program := harness.Compile(t, "testdata/forks.c")
	p := newPool(t, 3)
	for _, way := range []string{"strict", "inherit"} {
		t.Run(way, func(t *testing.T) {
			p.Set("ZK_PKCS11_FORK", way)
			if out := p.Run(program, harness.Module(t), harness.UserPIN, keyLabel, way); out != "0 children failed\n" {
				t.Errorf("%s", out)
			}
		})
	}
}
