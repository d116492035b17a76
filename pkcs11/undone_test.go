// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/store"
)

// TestGenerateUndone: a pair that cannot be recorded is not left in the device,
// where it would take a slot under a name that nobody gave it.
func TestGenerateUndone(t *testing.T) {
	for _, c := range []struct{ public, private bool }{{true, true}, {false, true}, {true, false}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			if !c.private {
				softOnly(t, noSession)
			}
			generateUndone(t, []any{CKA_TOKEN, c.public}, []any{CKA_TOKEN, c.private})
		})
	}
}

func generateUndone(t *testing.T, public, private []any) {
	t.Helper()
	f := newPublic(t)
	slow := openIn(t, f.dir, Options{})
	slow.wait = 1
	slow.h = slow.session(CKF_RW_SESSION)
	f.search()
	slow.login(CKU_USER)
	_, err := f.store.Update(func(*store.Tx) error {
		_, _, err := slow.tryPair(scm.P256, public, private)
		want(t, "generate", err, CKR_DEVICE_ERROR)
		return nil
	})
	f.ok(err)
	for _, class := range []int{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY} {
		if n := len(slow.search(CKA_CLASS, class)); n != scm.PermanentSlots {
			t.Errorf("%d keys of class %d, want %d", n, class, scm.PermanentSlots)
		}
	}
	for _, method := range []string{"Place", "Generate"} {
		if n := slow.device.Calls(method); n > 0 {
			t.Errorf("%s was called, which comes after the journal", method)
		}
	}
	if made, gone := slow.device.Calls("GenerateVolatile"), slow.device.Calls("Remove"); made != gone {
		t.Errorf("%d keys were removed, want %d", gone, made)
	}
}

// TestGenerateLoggedOut: the user logs out while a pair in volatile memory is made,
// whose public half is stored. That half does not stay alone.
func TestGenerateLoggedOut(t *testing.T) {
	softOnly(t, noSession)
	f := newUser(t)
	second := f.session(0)
	f.during("Random", func() { f.ok(f.Logout(second)) }) // for the CKA_UNIQUE_ID of the public half
	_, _, err := f.tryPair(scm.P256, []any{CKA_TOKEN, true, CKA_LABEL, "half"}, nil)
	want(t, "generate", err, CKR_USER_NOT_LOGGED_IN)
	if n := len(f.search(CKA_LABEL, "half")); n > 0 {
		t.Errorf("%d objects are left", n)
	}
}

// TestGenerateFull: there is no free slot.
func TestGenerateFull(t *testing.T) {
	f := newUser(t)
	f.device.Fail(makingMethod(), 1, scm.ErrFull)
	_, _, err := f.tryPair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true})
	want(t, "generate", err, CKR_DEVICE_MEMORY)
}

// panicky is a device that panics at what cannot fail, once it is told to.
type panicky struct {
	scmtest.Full
	armed bool
}

func (p *panicky) Capability(c scm.Curve) scm.Capability {
	if p.armed {
		p.armed = false
		panic("asked for a capability")
	}
	return p.Full.Capability(c)
}

// makingMethod is the method by which the device gets a key pair on the token.
func makingMethod() string {
	if overVendor() {
		return "Generate"
	}
	return "Place"
}

// TestPanicInGenerate has the provider panic at every step after the device has made a
// key pair, or has drafted one: nothing of the pair is left, neither in the device nor in the
// store.
func TestPanicInGenerate(t *testing.T) {
	for _, c := range []struct{ public, private bool }{{true, true}, {false, true}, {true, false}, {false, false}} {
		for step, breakAt := range map[string]func(*fixture){
			"before it is recorded": func(f *fixture) {
				p := &panicky{Full: f.device.Full}
				f.device.Full = p
				f.during(generateMethod(c.private), func() { p.armed = true })
			},
			"after it is recorded": func(f *fixture) { // there are no more handles
				f.during(generateMethod(c.private), func() { f.Provider.handles = nil })
			},
		} {
			if c.public && c.private && step == "after it is recorded" {
				continue // nothing is done after that
			}
			t.Run(fmt.Sprintf("%+v %s", c, step), func(t *testing.T) {
				if !c.private {
					softOnly(t, noSession)
				}
				panicInGenerate(t, breakAt, []any{CKA_TOKEN, c.public, CKA_LABEL, "mine"}, []any{CKA_TOKEN, c.private})
			})
		}
	}
}

func generateMethod(onToken bool) string {
	switch {
	case !onToken:
		return "GenerateVolatile"
	case overVendor():
		return "Generate"
	}
	return "Draft"
}

func panicInGenerate(t *testing.T, breakAt func(*fixture), public, private []any) {
	t.Helper()
	f := newUser(t)
	handles, full := f.Provider.handles, f.device.Full
	breakAt(f)
	if !panics(func() { _, _, _ = f.tryPair(scm.P256, public, private) }) {
		t.Error("no panic")
	}
	f.Provider.handles, f.device.Full = handles, full
	if made, gone := f.device.Calls("GenerateVolatile")+f.device.Calls("Generate"), f.device.Calls("Remove"); made != gone {
		t.Errorf("%d keys were removed, want %d", gone, made)
	}
	f.leftAlone()
	f.tokenPair(scm.P256) // in the slot that the other has left
	if n := f.log.count("error") + f.log.count("warning"); n > 0 {
		t.Errorf("%d lines in the log", n)
	}
}

// leftAlone checks that a new process sees the keys in permanent slots only, and that
// this one sees no other objects.
func (f *fixture) leftAlone() {
	f.Helper()
	other := openIn(f, f.dir, Options{})
	other.h = other.session(CKF_RW_SESSION)
	f.ok(other.Login(other.h, CKU_USER, userPIN))
	for _, x := range []*fixture{f, other} {
		for _, class := range []int{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY} {
			if n := len(x.search(CKA_CLASS, class)); n != scm.PermanentSlots {
				f.Errorf("%d keys of class %d, want %d", n, class, scm.PermanentSlots)
			}
		}
	}
	if n := len(f.records()); n > 0 {
		f.Errorf("%d records are left", n)
	}
	if n := other.log.count("error") + other.log.count("warning"); n > 0 {
		f.Errorf("another process logs %d lines", n)
	}
}

// panics reports whether f does.
func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return
}
