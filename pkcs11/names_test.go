// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
)

// TestPublicKeyKeepsItsHandle: when its private key is destroyed, whatever others look
// for meanwhile.
func TestPublicKeyKeepsItsHandle(t *testing.T) {
	f := newUser(t)
	var stop atomic.Bool
	var searching sync.WaitGroup
	for range 2 {
		h := f.session(0)
		searching.Go(func() {
			for !stop.Load() {
				_ = f.FindObjectsInit(h, is(CKA_LABEL, "x"))
				_ = f.FindObjectsFinal(h)
			}
		})
	}
	for range 50 {
		public, private := f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_LABEL, "x"}, []any{CKA_TOKEN, true})
		f.ok(f.DestroyObject(f.h, private))
		f.reads(public, CKA_LABEL, "x")
		f.ok(f.DestroyObject(f.h, public))
	}
	stop.Store(true)
	searching.Wait()
}

// TestHandlesOfPrivateObjectsEnd: with the login, also those of public keys that the user
// has made private, in their key slot and after it.
func TestHandlesOfPrivateObjectsEnd(t *testing.T) {
	f := newUser(t)
	hidden := []any{CKA_TOKEN, true, CKA_PRIVATE, true}
	inSlot, private := f.pair(scm.P256, hidden, []any{CKA_TOKEN, true})
	stored, gone := f.pair(scm.P256, hidden, []any{CKA_TOKEN, true})
	f.ok(f.DestroyObject(f.h, gone))
	for range 2 {
		f.ok(f.Logout(f.h))
		f.search()
		f.login(CKU_USER)
		for _, h := range []uint{inSlot, stored, private} {
			_, err := f.tryRead(h, CKA_CLASS)
			want(t, "read by a handle from before the logout", err, CKR_OBJECT_HANDLE_INVALID)
		}
	}
}

// TestNothingIsLeftOfNames: children are told no handle of what is gone.
func TestNothingIsLeftOfNames(t *testing.T) {
	p := newParent(t)
	for range 5 {
		public, private := p.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true})
		p.ok(p.DestroyObject(p.h, private))
		p.ok(p.DestroyObject(p.h, public))
	}
	p.search()
	if n := p.left.count(namePiece); n > 0 {
		t.Errorf("%d pieces are left for objects that are gone", n)
	}
}

// TestChildKnowsKeyDerivedAgain: by the handle that it has in the parent.
func TestChildKnowsKeyDerivedAgain(t *testing.T) {
	p := newParent(t)
	device := p.unsealed()
	top, err := device.GenerateSeed(scm.WalletSeed{Curve: scm.P256, Name: "savings"})
	p.ok(err)
	slot, _, err := device.ChildKey(top, scm.Child{Index: 1, Hardened: true})
	p.ok(err)
	p.reopen(time.Hour)
	public, private := p.public(int(slot)), p.private(int(slot))
	p.ok(p.DestroyObject(p.h, private))
	p.ok(p.DestroyObject(p.h, public))
	p.search()
	again, _, err := device.ChildKey(top, scm.Child{Index: 1, Hardened: true})
	p.ok(err)
	p.reopen(time.Hour)
	there := p.public(int(again))
	child := p.child()
	child.reads(there, zkSlot, int(again))
}
