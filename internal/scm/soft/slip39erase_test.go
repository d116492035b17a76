// SPDX-License-Identifier: Apache-2.0

package soft

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// TestSLIP39Erased looks at what a session has kept in memory when it is over.
func TestSLIP39Erased(t *testing.T) {
	b := newBench(t, Options{})
	must(t, b.d.BeginSLIP39(scm.WalletSeed{Curve: scm.P256, Name: "w"}, 1, 1, 0))
	must(t, b.d.SetSLIP39Group(0, 3, 2))
	s := b.d.session
	kept := [][]byte{s.secret, s.groups[0].share.Value}
	for _, m := range s.groups[0].left {
		kept = append(kept, m.Value)
	}
	must(t, b.d.CancelSLIP39())
	for i, secret := range kept {
		if len(secret) != 32 || !bytes.Equal(secret, make([]byte, 32)) {
			t.Errorf("%d of the secrets is still there: %x", i, secret)
		}
	}
}
