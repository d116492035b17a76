// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

// addName gives a key slot a further name.
func (f *fixture) addName(slot int, label, id string) {
	f.Helper()
	f.ok(f.AddName(f.h, slot, is(CKA_LABEL, label, CKA_ID, id)))
}

// TestFurtherName: a further name of a key is a pair of objects that does all that the first does, in every process.
func TestFurtherName(t *testing.T) {
	f := newUser(t)
	other := f.another()
	if named, err := f.IsNamed(f.h, 0); named || err != nil {
		t.Errorf("before: %t, %v", named, err)
	}
	for _, half := range f.search(zkSlot, 0) {
		f.ok(f.SetAttributeValue(f.h, half, is(CKA_LABEL, "first", CKA_ID, "\xa1")))
	}
	f.addName(0, "second", "\xa2")
	f.addName(0, "third", "\xa3")
	if named, err := other.IsNamed(other.h, 0); !named || err != nil {
		t.Errorf("afterwards: %t, %v", named, err)
	}
	unique := map[string]bool{}
	for id, label := range map[string]string{"\xa1": "first", "\xa2": "second", "\xa3": "third"} {
		for _, x := range []*fixture{f, other} {
			private := x.one(CKA_CLASS, CKO_PRIVATE_KEY, CKA_ID, id, zkSlot, 0)
			public := x.one(CKA_CLASS, CKO_PUBLIC_KEY, CKA_LABEL, label)
			if got := x.read(private, CKA_LABEL); string(got) != label {
				t.Errorf("label of %x is %q", id, got)
			}
			unique[string(x.read(private, CKA_UNIQUE_ID))+string(x.read(public, CKA_UNIQUE_ID))] = true
			message := sha256.Sum256([]byte(label))
			sig, err := x.sign(CKM_ECDSA, private, message[:])
			x.ok(err)
			x.ok(x.verify(CKM_ECDSA, public, message[:], sig))
		}
	}
	if len(unique) != 3 {
		t.Errorf("%d different CKA_UNIQUE_ID", len(unique))
	}
	f.ok(f.SetAttributeValue(f.h, f.one(CKA_CLASS, CKO_PRIVATE_KEY, CKA_ID, "\xa2"), is(CKA_LABEL, "renamed")))
	other.one(CKA_CLASS, CKO_PRIVATE_KEY, CKA_LABEL, "renamed", CKA_ID, "\xa2")
	f.ok(f.Logout(f.h))
	if n := len(f.search(zkSlot, 0)); n != 3 {
		t.Errorf("%d public keys without a login", n)
	}
}

// TestFurtherNameGoesAlone: the objects of a further name go and the key stays; the key does not go while it has one.
func TestFurtherNameGoesAlone(t *testing.T) {
	f := newUser(t)
	_, first := f.tokenPair(scm.P256)
	f.addName(16, "second", "\xa2")
	want(t, "destroying the first", f.DestroyObject(f.h, first), CKR_ACTION_PROHIBITED)
	for _, o := range f.search(CKA_ID, "\xa2") {
		f.ok(f.DestroyObject(f.h, o))
		want(t, "once more", f.DestroyObject(f.h, o), CKR_OBJECT_HANDLE_INVALID)
	}
	if n := len(f.search(zkSlot, 16)); n != 2 || len(f.records()) != 2 {
		t.Errorf("%d objects, %d records", n, len(f.records()))
	}
	f.ok(f.DestroyObject(f.h, first))
	if n := len(f.search(zkSlot, 16)); n != 0 {
		t.Errorf("%d objects of a key that is gone", n)
	}
}

// TestFurtherNameOfLostKey: a key that comes into the slot of one that was lost has none of its names.
func TestFurtherNameOfLostKey(t *testing.T) {
	f := newUser(t)
	f.tokenPair(scm.P256)
	f.addName(16, "second", "\xa2")
	k, err := f.device.PublicKey(16)
	f.ok(err)
	f.ok(f.device.Remove(k))
	if n := len(f.search(CKA_ID, "\xa2")); n != 0 {
		t.Errorf("%d objects of a key that is lost", n)
	}
	softOnly(t, noPlace)
	f.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, zkSlot, 16})
	if n := len(f.records()); n != 2 {
		t.Errorf("%d records", n)
	}
	if named, err := f.IsNamed(f.h, 16); !named || err != nil {
		t.Errorf("%t, %v", named, err)
	}
}

// TestMostNames: there is an end to names.
func TestMostNames(t *testing.T) {
	f := newUser(t)
	for name := 1; name < store.MostNames; name++ {
		f.addName(3, "further", string(bytes.Repeat([]byte{7}, name)))
	}
	want(t, "one more", f.AddName(f.h, 3, is(CKA_LABEL, "x", CKA_ID, "\xa8")), CKR_DEVICE_MEMORY)
	f.ok(f.Logout(f.h))
	want(t, "without a login", f.AddName(f.h, 4, is(CKA_LABEL, "x")), CKR_USER_NOT_LOGGED_IN)
}
