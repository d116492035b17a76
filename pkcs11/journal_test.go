// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
	"libzk_pkcs11/internal/store"
)

// dies makes a call in which the process is killed, as far as the token can tell: before
// the device does what a method says, or right after.
func (f *fixture) dies(method string, after bool, call func()) {
	f.Helper()
	device := f.token().device
	if after {
		f.token().device = fatal{f.device}
	} else {
		f.device.Before(method, func(int) error { panic("killed before " + method) })
	}
	if !panics(call) {
		f.Errorf("%s was not called", method)
	}
	f.token().device = device
	f.device.Reset()
}

// fatal is a device after whose changes the process dies.
type fatal struct{ *scmtest.Faulty }

func (d fatal) Draft(c scm.Curve) (scm.Draft, error) {
	draft, err := d.Faulty.Draft(c)
	return fatalDraft{draft}, err
}

func (d fatal) Remove(k scm.Key) error {
	if err := d.Faulty.Remove(k); err != nil {
		return err
	}
	panic("killed after Remove")
}

type fatalDraft struct{ scm.Draft }

func (d fatalDraft) Place(s scm.Slot) (scm.Key, error) {
	if k, err := d.Draft.Place(s); err != nil {
		return k, err
	}
	panic("killed after Place")
}

// unsettled returns what is in the journal.
func (f *fixture) unsettled() []store.Entry {
	f.Helper()
	entries, err := f.store.Journal()
	f.ok(err)
	return entries
}

// quiet reports lines that an operator would read.
func (f *fixture) quietLog() {
	f.Helper()
	if n := f.log.count("error:") + f.log.count("warning:"); n > 0 {
		f.Errorf("%d lines in the log: %q", n, f.log.list)
	}
}

var onToken = []any{CKA_TOKEN, true, CKA_LABEL, "mine"}

// TestKilledInGenerate: a key pair is whole, with its names, or not there.
func TestKilledInGenerate(t *testing.T) {
	softOnly(t, noPlace)
	for _, public := range [][]any{onToken, {CKA_TOKEN, false}} {
		for _, after := range []bool{false, true} {
			f := newUser(t)
			beside := f.another()
			f.dies("Place", after, func() { _, _, _ = f.tryPair(scm.P256, public, onToken) })
			if len(f.unsettled()) != 1 {
				t.Fatalf("the journal is %v", f.unsettled())
			}
			beside.search() // while nobody has looked at the journal
			want := 0
			if after {
				want = 1
			}
			other := f.another()
			if n := len(other.search(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine")); n != want {
				t.Errorf("%d private keys, want %d", n, want)
			}
			if n := len(other.search(zkSlot, 16)); n != want && n != 2*want {
				t.Errorf("%d objects of the key slot", n)
			}
			if n := len(other.records()); n != 2*want || len(other.unsettled()) > 0 {
				t.Errorf("%d records, journal %v", n, other.unsettled())
			}
			if after {
				_, err := other.sign(CKM_ECDSA, other.one(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine"), digest32)
				ok(t, err)
			}
			beside.search()
			beside.quietLog()
			other.quietLog()
		}
	}
}

// TestKilledInDestroy: as long as the private key is there the pair is whole; then the
// public key is an object by itself.
func TestKilledInDestroy(t *testing.T) {
	for _, after := range []bool{false, true} {
		if after {
			softOnly(t, noPlace)
		}
		f := newUser(t)
		beside := f.another()
		_, private := f.pair(scm.P256, onToken, onToken)
		beside.search()
		f.dies("Remove", after, func() { _ = f.DestroyObject(f.h, private) })
		beside.search()
		beside.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
		other := f.another()
		public := other.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
		if after {
			if n, objects := len(other.records()), len(other.search(zkSlot, 16)); n != 1 || objects > 0 {
				t.Errorf("%d records, %d objects of the key slot", n, objects)
			}
		} else {
			other.reads(public, zkSlot, 16)
			if n := len(other.records()); n != 2 {
				t.Errorf("%d records", n)
			}
			_, err := other.sign(CKM_ECDSA, other.private(16), digest32)
			ok(t, err)
			ok(t, other.DestroyObject(other.h, other.private(16)))
		}
		ok(t, other.DestroyObject(other.h, public))
		if len(other.unsettled()) > 0 {
			t.Errorf("the journal is %v", other.unsettled())
		}
		beside.search()
		beside.quietLog()
		other.quietLog()
	}
}

// TestChangedAfterKill: what has been done to the public key object since stays done.
func TestChangedAfterKill(t *testing.T) {
	for _, destroyed := range []bool{false, true} {
		f := newUser(t)
		beside := f.another()
		_, private := f.pair(scm.P256, onToken, onToken)
		f.dies("Remove", false, func() { _ = f.DestroyObject(f.h, private) })
		public := beside.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
		want := 1
		if destroyed {
			ok(t, beside.DestroyObject(beside.h, public))
			want = 0
		} else {
			ok(t, beside.SetAttributeValue(beside.h, public, is(CKA_LABEL, "changed")))
		}
		other := f.another()
		if n := len(other.search(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "changed", zkSlot, 16)); n != want {
			t.Errorf("%d public keys of the slot, want %d", n, want)
		}
		if n := len(other.search(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")); n > 0 {
			t.Errorf("%d public keys are as they were", n)
		}
	}
}

// TestOthersKeyIsLeftAlone: another program makes a key in the slot in which one was to be.
func TestOthersKeyIsLeftAlone(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.dies("Place", false, func() { _, _, _ = f.tryPair(scm.P256, onToken, onToken) })
	k, err := f.device.Generate(scm.Ed25519)
	ok(t, err)
	other := f.another()
	other.reads(other.private(int(k.Slot)), CKA_LABEL, "SCM slot 16")
	if now, err := other.device.PublicKey(16); err != nil || string(now.Public) != string(k.Public) || len(other.records()) > 0 {
		t.Errorf("slot 16 has %v, %v, and %d records", now, err, len(other.records()))
	}
	other.quietLog()
}

// TestSlotTakenMeanwhile: another program takes the slot that was chosen. The key pair gets
// another one.
func TestSlotTakenMeanwhile(t *testing.T) {
	softOnly(t, noPlace)
	for _, public := range [][]any{onToken, {CKA_TOKEN, false}} {
		f := newUser(t)
		f.during("Place", func() {
			_, err := f.device.Generate(scm.P256)
			ok(t, err)
		})
		_, private := f.pair(scm.P256, public, onToken)
		f.reads(private, zkSlot, 17)
		f.reads(f.private(16), CKA_LABEL, "SCM slot 16")
		if len(f.records()) != 2 || len(f.unsettled()) > 0 || len(f.search(CKA_TOKEN, false)) > 1 {
			t.Errorf("%d records, journal %v", len(f.records()), f.unsettled())
		}
	}
}

// TestRememberedSlot: the slot of a key that was lost is taken when there is no other.
func TestRememberedSlot(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.tokenPair(scm.P256)
	ok(t, f.device.Remove(scm.Key{Slot: 16}))
	f.token().device = oneSlot{f.device}
	_, private := f.tokenPair(scm.P256)
	f.reads(private, zkSlot, 16)
	if f.log.count("gives up")+f.log.count("is given up") != 1 || len(f.records()) != 2 {
		t.Errorf("%d records, log %q", len(f.records()), f.log.list)
	}
}

// oneSlot is a device with one user slot.
type oneSlot struct{ *scmtest.Faulty }

func (d oneSlot) Free(wanted func(scm.Slot) bool) (scm.Slot, error) {
	return d.Faulty.Free(func(s scm.Slot) bool { return s == scm.FirstUser && wanted(s) })
}

// TestSearchBesideChanges: nothing is wrong while another process is between two steps.
func TestSearchBesideChanges(t *testing.T) {
	f := newUser(t)
	other := f.another()
	look := func() {
		other.search()
		other.token().forgetObjects()
		other.search()
	}
	f.device.Before(makingMethod(), func(int) error { look(); return nil })
	f.device.Before("Remove", func(int) error { look(); return nil })
	for range 3 {
		public, private := f.pair(scm.P256, onToken, onToken)
		look()
		f.token().device = slowRemoval{f.device, look}
		ok(t, f.DestroyObject(f.h, private))
		f.token().device = seen(f.device)
		look()
		ok(t, f.DestroyObject(f.h, public))
	}
	other.quietLog()
	f.quietLog()
}

// TestDestroyedWithItsWallet: what is derived from a key goes with it, and so does what the
// store remembers of that.
func TestDestroyedWithItsWallet(t *testing.T) {
	f := newUser(t)
	_, child := f.child("savings")
	grandchild, _, err := f.unsealed().ChildKey(child, scm.Child{Index: 1, Hardened: true})
	ok(t, err)
	f.watch()
	for _, s := range []scm.Slot{child, grandchild} {
		ok(t, f.SetAttributeValue(f.h, f.private(int(s)), is(CKA_LABEL, "derived")))
	}
	ok(t, f.DestroyObject(f.h, f.private(int(child))))
	f.search()
	other := f.another()
	other.search()
	if n := len(other.records()); n != 1 { // the child's public key
		t.Errorf("%d records", n)
	}
	f.quietLog()
	other.quietLog()
}

// TestDestroyedWithANewChild: what another process has derived, and named, since this one
// looked at the device goes with the key that it is derived from.
func TestDestroyedWithANewChild(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	_, child := f.child("savings")
	private := f.private(int(child))
	f.device.Before("Remove", func(int) error {
		if n := len(f.unsettled()); n != 2 {
			t.Errorf("%d entries, want one for each key", n)
		}
		return nil
	})
	other := f.another()
	f.during("NodeAddress", func() { // after the catalog has been read
		grandchild, _, err := other.unsealed().ChildKey(child, scm.Child{Index: 1, Hardened: true})
		ok(t, err)
		ok(t, other.SetAttributeValue(other.h, other.private(int(grandchild)), is(CKA_LABEL, "derived")))
	})
	ok(t, f.DestroyObject(f.h, private))
	if n := len(f.records()); n != 1 { // the child's public key
		t.Errorf("%d records", n)
	}
}

// choosy is a device that makes keys in slots of its own choice.
func choosy(f *fixture) scm.Device {
	if overVendor() {
		return seen(f.device)
	}
	return struct {
		scm.Device
		scm.Agreer
		scm.Sealer
		scm.Keeper
		scm.Wallet
	}{f.device, f.device, f.device, f.device, f.device}
}

// TestKeyOfUnknownOrigin: where the device chooses the slot, a key that may be somebody
// else's stays, and one line tells of it.
func TestKeyOfUnknownOrigin(t *testing.T) {
	for _, made := range []bool{false, true} {
		f := newUser(t)
		f.tokenPair(scm.P256)
		f.token().device = choosy(f)
		f.device.Before("Generate", func(int) error {
			if made {
				_, err := f.device.Full.Generate(scm.P256)
				ok(t, err)
			}
			panic("killed")
		})
		if !panics(func() { _, _, _ = f.tryPair(scm.P256, onToken, onToken) }) {
			t.Error("Generate was not called")
		}
		f.device.Reset()
		other := f.another()
		other.search()
		lines := 0
		if made {
			lines = 1
			other.private(17)
		}
		if n := other.log.count("perhaps the one in key slot 17"); n != lines || other.log.count("error:") > 0 {
			t.Errorf("%d lines, want %d: %q", n, lines, other.log.list)
		}
		if len(other.unsettled()) > 0 {
			t.Errorf("the journal is %v", other.unsettled())
		}
	}
}

// TestChosenByTheDevice: a key pair there is as good as one that was placed.
func TestChosenByTheDevice(t *testing.T) {
	f := newUser(t)
	f.token().device = choosy(f)
	for _, failing := range []error{nil, scm.ErrTimeout} {
		f.device.Fail("Generate", 1, failing)
		_, private, err := f.tryPair(scm.P256, onToken, onToken)
		if failing != nil {
			want(t, "generate", err, CKR_DEVICE_ERROR)
			continue
		}
		ok(t, err)
		_, err = f.sign(CKM_ECDSA, private, digest32)
		ok(t, err)
		ok(t, f.DestroyObject(f.h, private))
	}
	if len(f.unsettled()) > 0 || len(f.records()) != 1 {
		t.Errorf("%d records, journal %v", len(f.records()), f.unsettled())
	}
}

// TestStruckLater: nobody waits for other writers to say that a key pair is made.
func TestStruckLater(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	release := func() {}
	f.during("Place", func() { release = f.withheld("token.db.write") })
	_, private := f.pair(scm.P256, onToken, onToken)
	if len(f.unsettled()) != 1 {
		t.Fatalf("the journal is %v", f.unsettled())
	}
	f.reads(private, CKA_LABEL, "mine")
	release()
	ok(t, f.DestroyObject(f.h, private))
	if len(f.unsettled()) > 0 {
		t.Errorf("the journal is %v", f.unsettled())
	}
	f.quietLog()
}

// TestDestroyIsEndedLater: what could not be written after the key had gone.
func TestDestroyIsEndedLater(t *testing.T) {
	f := newUser(t)
	f.pair(scm.P256, onToken, onToken)
	f.Close()
	g := openIn(t, f.dir, Options{})
	g.wait = 100 * time.Millisecond
	g.h = g.session(CKF_RW_SESSION)
	g.login(CKU_USER)
	private := g.one(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine")
	release := func() {}
	g.during("Remove", func() { release = g.withheld("token.db.write") })
	ok(t, g.DestroyObject(g.h, private))
	if len(g.unsettled()) != 1 {
		t.Fatalf("the journal is %v", g.unsettled())
	}
	if n := len(g.search(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine")); n > 0 {
		t.Errorf("%d private keys", n)
	}
	release()
	other := f.another()
	other.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
	if len(other.unsettled()) > 0 || len(other.records()) != 1 {
		t.Errorf("%d records, journal %v", len(other.records()), other.unsettled())
	}
	if n := g.log.count("error:") + other.log.count("error:"); n > 0 {
		t.Errorf("errors in the log: %q %q", g.log.list, other.log.list)
	}
}

// TestMendingWaits: nobody touches what another process is at work on.
func TestMendingWaits(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	f.during("Place", func() {
		other := f.another()
		other.search()
		other.quietLog()
	})
	_, private := f.pair(scm.P256, onToken, onToken)
	f.reads(private, CKA_LABEL, "mine")
	f.quietLog()
}
