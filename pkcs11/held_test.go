// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
)

// exchanging is an SCM in which another key takes a child's slot for a moment, while it is used: the child
// is removed, and derived from its wallet again.
type exchanging struct {
	*scmtest.Faulty
	f     *fixture
	top   scm.Slot
	child scm.Key
	times int // how often it happens
}

func (e *exchanging) during(use func(scm.Slot) ([]byte, error)) ([]byte, error) {
	if e.times == 0 {
		return use(e.child.Slot)
	}
	e.times--
	d := e.f.unsealed()
	e.f.ok(d.Remove(e.child))
	other, err := d.Generate(scm.P256)
	e.f.ok(err)
	if other.Slot != e.child.Slot {
		e.f.Fatalf("another key is in slot %d, want %d", other.Slot, e.child.Slot)
	}
	result, err := use(e.child.Slot)
	e.f.ok(d.Remove(other))
	again, _, err2 := d.ChildKey(e.top, scm.Child{Index: 1, Hardened: true})
	e.f.ok(err2)
	if again != e.child.Slot {
		e.f.Fatalf("the child is in slot %d again, want %d", again, e.child.Slot)
	}
	return result, err
}

func (e *exchanging) Sign(_ scm.Slot, input []byte) ([]byte, error) {
	return e.during(func(s scm.Slot) ([]byte, error) { return e.Faulty.Sign(s, input) })
}

func (e *exchanging) Agree(_ scm.Slot, peer []byte) ([]byte, error) {
	return e.during(func(s scm.Slot) ([]byte, error) { return e.Faulty.Agree(s, peer) })
}

// TestExchangedForAMoment: a key that is gone while it is used comes back only from its wallet. What the key
// in its place has signed, or agreed on, is not given out.
func TestExchangedForAMoment(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	top, slot := f.child("savings")
	h := f.private(int(slot))
	key := f.object(h).heldKey()
	peer := f.object(f.private(0)).heldKey().Public
	point := f.read(f.public(0), CKA_EC_POINT)
	agreed, err := f.device.Agree(slot, peer)
	f.ok(err)
	e := &exchanging{Faulty: f.device, f: f, top: top, child: key.Key}
	f.token().device = e

	e.times = 1
	_, err = f.sign(CKM_ECDSA, h, digest32)
	want(t, "C_Sign while another key is in the slot", err, CKR_FUNCTION_FAILED)
	signature, err := f.sign(CKM_ECDSA, h, digest32)
	want(t, "C_Sign afterwards", err, CKR_OK)
	want(t, "C_Verify", f.verify(CKM_ECDSA, f.public(int(slot)), digest32, signature), CKR_OK)

	e.times = 1
	secret, err := key.agree(f.token(), point)
	want(t, "an agreement while another key is in the slot", err, CKR_OK)
	if !bytes.Equal(secret, agreed) {
		t.Error("the secret is that of another key")
	}
	e.times = agreeTries
	_, err = key.agree(f.token(), point)
	want(t, "an agreement while the slot changes again and again", err, CKR_FUNCTION_FAILED)
}
