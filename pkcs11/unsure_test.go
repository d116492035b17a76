// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"errors"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/scm/scmtest"
)

// unsure is a device that does what it is told, and fails to say so.
type unsure struct{ *scmtest.Faulty }

func (d unsure) Draft(c scm.Curve) (scm.Draft, error) {
	draft, err := d.Faulty.Draft(c)
	return unsureDraft{draft}, err
}

func (d unsure) Remove(k scm.Key) error { return errors.Join(d.Faulty.Remove(k), scm.ErrTimeout) }

func (d unsure) RemoveForeign(s scm.Slot) error {
	return errors.Join(d.Faulty.RemoveForeign(s), scm.ErrTimeout)
}

type unsureDraft struct{ scm.Draft }

func (d unsureDraft) Place(s scm.Slot) (scm.Key, error) {
	k, err := d.Draft.Place(s)
	return k, errors.Join(err, scm.ErrDevice)
}

// mute has the device say nothing of a key slot until it is told to.
func (f *fixture) mute() {
	f.device.Before("PublicKey", func(int) error { return scm.ErrTimeout })
}

// TestUnsureRemoval: the public key is there, whatever the device answers, and is the one that
// it was where the device can be asked.
func TestUnsureRemoval(t *testing.T) {
	softOnly(t, noPlace)
	for _, removed := range []bool{false, true} {
		for _, mute := range []bool{false, true} {
			f := newUser(t)
			_, private := f.pair(scm.P256, onToken, onToken)
			public := f.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
			device := f.token().device
			if removed {
				f.token().device = unsure{f.device}
			} else {
				f.device.Fail("Remove", 1, scm.ErrTimeout)
			}
			if mute {
				f.mute()
			}
			err := f.DestroyObject(f.h, private)
			if removed && !mute {
				ok(t, err)
			} else {
				want(t, "destroy", err, CKR_DEVICE_ERROR)
			}
			f.token().device = device
			f.device.Reset()
			if unsettled := len(f.unsettled()); unsettled > 0 != mute {
				t.Errorf("removed %t, mute %t: %d entries", removed, mute, unsettled)
			}
			f.token().mendJournal(0)
			if now := f.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine"); now != public {
				t.Errorf("removed %t, mute %t: the public key has another handle", removed, mute)
			}
			other := f.another()
			other.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
			if n := len(other.search(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine")); n > 0 == removed {
				t.Errorf("removed %t, mute %t: %d private keys", removed, mute, n)
			}
			if len(other.unsettled()) > 0 {
				t.Errorf("the journal is %v", other.unsettled())
			}
			other.quietLog()
		}
	}
}

// TestPanicInDestroy: the host goes on after a fault, and its handle of the public key does.
func TestPanicInDestroy(t *testing.T) {
	for _, after := range []bool{false, true} {
		if after {
			softOnly(t, noPlace)
		}
		f := newUser(t)
		_, private := f.pair(scm.P256, onToken, onToken)
		public := f.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine")
		f.dies("Remove", after, func() { _ = f.DestroyObject(f.h, private) })
		for range 2 {
			if now := f.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, "mine"); now != public {
				t.Errorf("after %t: the public key has another handle", after)
			}
			f.reads(public, CKA_LABEL, "mine")
			f.token().mendJournal(0)
		}
		if len(f.unsettled()) > 0 {
			t.Errorf("the journal is %v", f.unsettled())
		}
	}
}

// TestUnsureForeignRemoval: a key that is gone from a foreign slot is destroyed, and nothing is
// remembered of it.
func TestUnsureForeignRemoval(t *testing.T) {
	softOnly(t, noPlace)
	f := newUser(t)
	h, _ := f.storeForeign(scm.P256, CKA_LABEL, "peer")
	f.token().device = unsure{f.device}
	ok(t, f.DestroyObject(f.h, h))
	if len(f.records()) > 0 || len(f.unsettled()) > 0 {
		t.Errorf("%d records, journal %v", len(f.records()), f.unsettled())
	}
}

// TestUnsurePlacement: a key that is there has its names, whatever the device answers.
func TestUnsurePlacement(t *testing.T) {
	softOnly(t, noPlace)
	for _, placed := range []bool{false, true} {
		for _, mute := range []bool{false, true} {
			f := newUser(t)
			device, n := f.token().device, 0
			if placed {
				f.token().device, n = unsure{f.device}, 1
			} else {
				f.device.Fail("Place", 1, scm.ErrTimeout)
			}
			if mute {
				f.mute()
			}
			_, _, err := f.tryPair(scm.P256, onToken, onToken)
			want(t, "generate", err, CKR_DEVICE_ERROR)
			f.token().device = device
			f.device.Reset()
			if unsettled := len(f.unsettled()); unsettled > 0 != mute {
				t.Errorf("placed %t, mute %t: %d entries", placed, mute, unsettled)
			}
			other := f.another()
			if named := len(other.search(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "mine")); named != n {
				t.Errorf("placed %t, mute %t: %d private keys have the name, want %d", placed, mute, named, n)
			}
			if len(other.search(zkSlot, 16)) != 2*n || len(other.records()) != 2*n || len(other.unsettled()) > 0 {
				t.Errorf("placed %t, mute %t: %d records, journal %v", placed, mute, len(other.records()), other.unsettled())
			}
			other.quietLog()
		}
	}
}
