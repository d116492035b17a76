// SPDX-License-Identifier: Apache-2.0

package wallet

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
)

// TestSLIP39Erased looks at what a session has kept in memory when it is over.
func TestSLIP39Erased(t *testing.T) {
	below, err := soft.Open(t.TempDir(), soft.Options{Group: -1})
	must(t, err)
	defer below.Close()
	d := On(below)
	must(t, d.BeginSLIP39(scm.WalletSeed{Curve: scm.P256, Name: "w"}, 1, 1, 0))
	must(t, d.SetSLIP39Group(0, 3, 2))
	s := d.session
	kept := [][]byte{s.secret, s.groups[0].share.Value}
	for _, m := range s.groups[0].left {
		kept = append(kept, m.Value)
	}
	must(t, d.CancelSLIP39())
	for i, secret := range kept {
		if len(secret) != 32 || !bytes.Equal(secret, make([]byte, 32)) {
			t.Errorf("%d of the secrets is still there: %x", i, secret)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
