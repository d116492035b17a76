// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/soft"
	"libzk_pkcs11/internal/scm/soft/wallet"
)

const (
	zkWallet  = uint(CKA_ZK_WALLET)
	zkAddress = uint(CKA_ZK_NODE_ADDRESS)
)

// unsealed is the soft SCM of the fixture, as the login has left it.
func (f *fixture) unsealed() *wallet.Device {
	if d, is := f.device.Full.(*soft.Device); is {
		return wallet.On(d)
	}
	return wallet.On(f.world())
}

// child makes a wallet and a key in it, m/1', and returns the slots of both.
func (f *fixture) child(wallet string) (top, child scm.Slot) {
	f.Helper()
	d := f.unsealed()
	top, err := d.GenerateSeed(scm.WalletSeed{Curve: scm.P256, Name: wallet})
	f.ok(err)
	child, _, err = d.ChildKey(top, scm.Child{Index: 1, Hardened: true})
	f.ok(err)
	f.reopen(time.Hour)
	return top, child
}

func TestWalletKeys(t *testing.T) {
	f := newUser(t)
	top, child := f.child("savings")
	for _, h := range []uint{f.private(int(child)), f.public(int(child))} {
		f.reads(h, zkWallet, "savings")
		f.reads(h, zkAddress, "m/1'")
	}
	if found := f.search(zkSlot, int(top)); len(found) != 0 {
		t.Errorf("a key whose public key is not given away has %d objects", len(found))
	}
	if found := f.search(zkWallet, "savings"); len(found) != 2 {
		t.Errorf("found %d objects of the wallet, want 2", len(found))
	}
	_, err := f.tryRead(f.private(0), zkWallet)
	want(t, "key in no wallet", err, CKR_ATTRIBUTE_TYPE_INVALID)
	_, err = f.sign(CKM_ECDSA, f.private(int(child)), digest32)
	want(t, "sign", err, CKR_OK)
}

// TestWalletKeyAttributes: a change of others keeps those of the wallet, and nobody
// sets them.
func TestWalletKeyAttributes(t *testing.T) {
	f := newUser(t)
	_, child := f.child("savings")
	h := f.private(int(child))
	f.ok(f.SetAttributeValue(f.h, h, is(CKA_LABEL, "named")))
	f.reads(h, zkAddress, "m/1'")
	f.another().one(CKA_LABEL, "named", zkAddress, "m/1'")
	want(t, "set", f.SetAttributeValue(f.h, h, is(zkWallet, "other")), CKR_ATTRIBUTE_READ_ONLY)
	_, _, err := f.tryPair(scm.P256, nil, []any{zkWallet, "other"})
	want(t, "generate", err, CKR_ATTRIBUTE_READ_ONLY)
}

// TestBootware: what the host boots with is not destroyed by way of PKCS#11.
func TestBootware(t *testing.T) {
	f := newUser(t)
	_, child := f.child(bootware)
	_, other := f.child("savings")
	for _, h := range []uint{f.private(int(child)), f.public(int(child))} {
		f.reads(h, CKA_DESTROYABLE, false)
		want(t, "destroy", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
	}
	f.ok(f.DestroyObject(f.h, f.private(int(other))))
	f.ok(f.CloseSession(f.h))
	f.ok(f.InitToken(0, soPIN, []byte("again")))
	if _, err := f.device.PublicKey(child); err != nil {
		t.Errorf("C_InitToken removed the key: %v", err)
	}
}

// TestBootwareIsAsked: what is in the slot when it is emptied counts, not what was
// known of it.
func TestBootwareIsAsked(t *testing.T) {
	f := newUser(t)
	_, child := f.child(bootware)
	h := f.private(int(child))
	f.token().nodes.known = nil
	f.ok(f.SetAttributeValue(f.h, h, is(CKA_LABEL, "x"))) // reads the attributes anew
	f.device.Fail("NodeAddress", 1, scm.ErrDevice)
	want(t, "device that does not tell", f.DestroyObject(f.h, h), CKR_DEVICE_ERROR)
	want(t, "destroy", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
}

// TestWalletCalls: a place is asked for once.
func TestWalletCalls(t *testing.T) {
	f := newUser(t)
	f.child("savings")
	f.search()
	if n := f.device.Calls("NodeAddress"); n != 0 {
		t.Errorf("%d calls for what nobody has asked for", n)
	}
	f.search(zkWallet, "savings")
	f.device.Reset()
	f.token().forgetObjects()
	f.search(zkWallet, "savings")
	if n := f.device.Calls("NodeAddress"); n != 0 {
		t.Errorf("%d calls for what is known", n)
	}
	f.token().forgetObjects()
	f.tokenPair(scm.P256)
	f.device.Before("NodeAddress", func(int) error { return scm.ErrTimeout })
	want(t, "device that does not answer", f.FindObjectsInit(f.h, nil), CKR_DEVICE_ERROR)
}

// TestConcealedKey: a key that is not shown any more is left out, and the operator
// learns why.
func TestConcealedKey(t *testing.T) {
	f := newUser(t)
	f.pair(scm.P256, nil, []any{CKA_TOKEN, true, CKA_LABEL, "mine"})
	f.storeForeign(scm.P256, CKA_LABEL, "theirs")
	f.ok(f.world().DisableExport(16))
	f.ok(f.world().DisableForeignExport(0))
	f.reopen(time.Hour)
	for range 2 {
		if n := len(f.search(zkSlot, 16)) + len(f.search(zkForeign, true)); n != 0 {
			t.Errorf("%d objects", n)
		}
		f.token().forgetObjects()
	}
	for _, name := range []string{"key slot 16", "foreign slot 0"} {
		if f.log.count(name+" does not give its public key away") != 1 {
			t.Errorf("logged %q", f.log.list)
		}
	}
}
