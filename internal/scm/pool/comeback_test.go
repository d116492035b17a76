// SPDX-License-Identifier: Apache-2.0

package pool_test

import (
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

// comeback is a member whose slot holds another key for the time of one signature.
type comeback struct {
	scmtest.Full
	soft   *soft.Device
	t      *testing.T
	master scm.Slot
	signed int
}

// Sign is scm.Device.Sign. The key of the wallet grows into its slot again.
func (c *comeback) Sign(s scm.Slot, digest []byte) ([]byte, error) {
	if c.signed++; c.signed > 1 {
		return c.Full.Sign(s, digest)
	}
	must(c.t, c.Remove(scm.Key{Slot: s}))
	other, err := scmtest.GenerateAt(c.Full, s, scm.P256)
	must(c.t, err)
	signature, err := c.Full.Sign(s, digest)
	must(c.t, err)
	must(c.t, c.Remove(other))
	again, _, err := wallet.On(c.soft).ChildKey(c.master, scm.Child{Index: 7, Hardened: true})
	must(c.t, err)
	if again != s {
		c.t.Fatalf("the key comes back to slot %d, not %d", again, s)
	}
	return signature, nil
}

// TestComesBack: a key of a wallet that is gone and comes back has not made the signatures of the time between.
func TestComesBack(t *testing.T) {
	r := newRig(t, 2)
	member := r.devices[1]
	c := &comeback{Full: member.Full, soft: member.Full.(*soft.Device), t: t, master: slotOf(t, member, r.key) - 1}
	member.Full = c
	for range 4 {
		r.sign()
	}
	if c.signed < 2 {
		t.Errorf("%d signatures of the member", c.signed)
	}
}
