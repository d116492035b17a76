// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// othersMake has another program make keys in user slots and a foreign key.
func othersMake(f *fixture, keys int) (made []scm.Key) {
	f.Helper()
	for range keys {
		k, err := f.device.Generate(scm.P256)
		f.ok(err)
		made = append(made, k)
	}
	_, err := f.device.StoreForeign(scm.P256, made[0].Public)
	f.ok(err)
	return made
}

// holds checks that the device has these keys in its user slots, and one foreign key.
func (f *fixture) holds(name string, want []scm.Key) {
	f.Helper()
	keys, err := f.device.Keys()
	f.ok(err)
	keys = slices.DeleteFunc(keys, func(k scm.Key) bool { return !k.Slot.User() })
	if !slices.EqualFunc(keys, want, func(a, b scm.Key) bool { return a.Slot == b.Slot && bytes.Equal(a.Public, b.Public) }) {
		f.Errorf("%s: the device has %d user keys, want %d", name, len(keys), len(want))
	}
	if foreign, err := f.device.Foreign(); err != nil || len(foreign) != 1 {
		f.Errorf("%s: the device has %d foreign keys, %v", name, len(foreign), err)
	}
}

// TestInitTokenAdopts: what the token's store does not know as its own stays, at the first
// initialisation and at each one after it, also if it has got names here.
func TestInitTokenAdopts(t *testing.T) {
	f := newBlank(t)
	f.token()
	made := othersMake(f, 3)
	f.ok(f.InitToken(0, soPIN, []byte("first")))
	f.holds("the first one", made)
	f.h = f.session(CKF_RW_SESSION)
	f.login(CKU_SO)
	f.ok(f.InitPIN(f.h, userPIN))
	f.ok(f.Logout(f.h))
	f.login(CKU_USER)
	f.ok(f.SetAttributeValue(f.h, f.public(int(made[0].Slot)), is(CKA_LABEL, "named")))
	f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_LABEL, "mine"}, []any{CKA_TOKEN, true})
	l, err := f.LossesOf(0)
	f.ok(err)
	if len(l.Keys) != 1 || l.Keys[0].Label != "mine" || l.Others != 3 || l.Foreign != 1 || l.Stored.Count() != 0 || len(l.Named) != 1 || l.Named[0].Label != "named" {
		t.Errorf("losses %+v", l)
	}
	f.ok(f.CloseSession(f.h))
	f.ok(f.InitToken(0, soPIN, []byte("second")))
	f.holds("the second one", made)
	if l, err := f.LossesOf(0); err != nil || len(l.Keys) != 0 {
		t.Errorf("afterwards: losses %+v, %v", l, err)
	}
}

// TestInitTokenInterruptedRemoval: a key that could not be removed is still the token's own.
func TestInitTokenInterruptedRemoval(t *testing.T) {
	f := newUser(t)
	made := othersMake(f, 1)
	f.tokenPair(scm.P256)
	f.ok(f.CloseSession(f.h))
	f.device.Fail("Remove", 1, scm.ErrDevice)
	want(t, "with a failure", f.InitToken(0, soPIN, []byte("again")), CKR_DEVICE_ERROR)
	f.ok(f.InitToken(0, soPIN, []byte("again")))
	f.holds("afterwards", made)
}
