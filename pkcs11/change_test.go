// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"sync"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
)

func TestSetAttributeValue(t *testing.T) {
	f := newUser(t)
	data, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true))
	f.ok(err)
	mine, err := f.CreateObject(f.h, is(with(secretKey, CKA_LABEL, "old")...))
	f.ok(err)
	fixed, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_MODIFIABLE, false))
	f.ok(err)
	key := f.private(0)
	for _, c := range []struct {
		name   string
		object uint
		change []any
		code   Error
	}{
		{"stored object", data, []any{CKA_LABEL, "new", CKA_VALUE, "v"}, CKR_OK},
		{"session object", mine, []any{CKA_LABEL, "new", CKA_ID, "1"}, CKR_OK},
		{"sensitive", mine, []any{CKA_SENSITIVE, true}, CKR_OK},
		{"sensitive no more", mine, []any{CKA_SENSITIVE, false}, CKR_ATTRIBUTE_READ_ONLY},
		{"key in a slot", key, []any{CKA_LABEL, "new", CKA_ID, "1", CKA_SUBJECT, "s", CKA_SIGN, true}, CKR_OK},
		{"dates", key, []any{CKA_START_DATE, "20260101", CKA_END_DATE, ""}, CKR_OK},
		{"no date", key, []any{CKA_START_DATE, "yesterday"}, CKR_ATTRIBUTE_VALUE_INVALID},
		{"all or nothing", key, []any{CKA_LABEL, "newer", CKA_LOCAL, false}, CKR_ATTRIBUTE_READ_ONLY},
		{"the class that it has", key, []any{CKA_CLASS, CKO_PRIVATE_KEY}, CKR_ATTRIBUTE_READ_ONLY},
		{"the slot that it has", key, []any{zkSlot, 0}, CKR_ATTRIBUTE_READ_ONLY},
		{"on the token, as it is", data, []any{CKA_TOKEN, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"sensitive, as it is", key, []any{CKA_SENSITIVE, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"the key that it is", key, []any{CKA_PUBLIC_KEY_INFO, f.read(key, CKA_PUBLIC_KEY_INFO)}, CKR_OK},
		{"what the token has set", key, []any{CKA_LOCAL, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"its own name", key, []any{CKA_UNIQUE_ID, f.read(key, CKA_UNIQUE_ID)}, CKR_ATTRIBUTE_READ_ONLY},
		{"extractable", key, []any{CKA_EXTRACTABLE, true}, CKR_ATTRIBUTE_READ_ONLY},
		{"public", key, []any{CKA_PRIVATE, false}, CKR_ATTRIBUTE_READ_ONLY},
		{"value", key, []any{CKA_VALUE, "x"}, CKR_ATTRIBUTE_READ_ONLY},
		{"point", key, []any{CKA_EC_POINT, "x"}, CKR_ATTRIBUTE_READ_ONLY},
		{"no such attribute", key, []any{CKA_MODULUS, "x"}, CKR_ATTRIBUTE_TYPE_INVALID},
		{"not modifiable", fixed, []any{CKA_LABEL, "new"}, CKR_ACTION_PROHIBITED},
		{"a type twice", data, []any{CKA_LABEL, "1", CKA_LABEL, "2"}, CKR_TEMPLATE_INCONSISTENT},
		{"nothing", data, nil, CKR_OK},
		{"no object", 1 << 30, nil, CKR_OBJECT_HANDLE_INVALID},
	} {
		want(t, c.name, f.SetAttributeValue(f.h, c.object, is(c.change...)), c.code)
		for i := 0; c.code == CKR_OK && i < len(c.change); i += 2 {
			if x := typeOf(c.change[i]); c.object != mine || x != CKA_SENSITIVE {
				f.reads(c.object, x, c.change[i+1])
			}
		}
	}
	for _, h := range []uint{data, mine, key} {
		f.reads(h, CKA_LABEL, "new")
	}
	want(t, "R/O session", f.SetAttributeValue(f.session(0), data, is(CKA_LABEL, "x")), CKR_SESSION_READ_ONLY)

	other := f.another()
	for _, h := range []uint{other.one(CKA_CLASS, CKO_DATA), other.private(0)} {
		other.reads(h, CKA_LABEL, "new")
	}
	other.reads(other.public(0), CKA_LABEL, "SCM slot 0")
	if n := len(other.search(CKA_ID, "1")); n != 1 {
		t.Errorf("%d objects have the new ID, want 1", n)
	}
}

// TestFindAfterChange: the index follows a change.
func TestFindAfterChange(t *testing.T) {
	f := newUser(t)
	key := f.private(3)
	f.ok(f.SetAttributeValue(f.h, key, is(CKA_LABEL, "renamed")))
	if got := f.one(CKA_LABEL, "renamed"); got != key {
		t.Errorf("found object %d, want %d", got, key)
	}
	if got := f.one(CKA_LABEL, "SCM slot 3"); got == key {
		t.Error("found under the old label")
	}
}

// TestChangesDoNotLoseEachOther: two sessions change different attributes of one
// object at the same time, and both changes last.
func TestChangesDoNotLoseEachOther(t *testing.T) {
	f := newUser(t)
	for _, token := range []bool{true, false} {
		object, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, token))
		f.ok(err)
		for round := range byte(20) {
			var both sync.WaitGroup
			for _, x := range []int{CKA_LABEL, CKA_APPLICATION} {
				h := f.session(CKF_RW_SESSION)
				both.Go(func() { want(t, "change", f.SetAttributeValue(h, object, is(x, []byte{round})), CKR_OK) })
			}
			both.Wait()
			f.reads(object, CKA_LABEL, []byte{round})
			f.reads(object, CKA_APPLICATION, []byte{round})
		}
	}
}

func TestDestroyObject(t *testing.T) {
	f := newUser(t)
	for _, template := range [][]any{
		{CKA_CLASS, CKO_DATA}, {CKA_CLASS, CKO_DATA, CKA_TOKEN, true},
		{CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true}, secretKey,
	} {
		h, err := f.CreateObject(f.h, is(with(template, CKA_LABEL, "short-lived")...))
		f.ok(err)
		f.ok(f.DestroyObject(f.h, h))
		_, err = f.tryRead(h, CKA_CLASS)
		want(t, "destroyed object", err, CKR_OBJECT_HANDLE_INVALID)
		want(t, "destroyed twice", f.DestroyObject(f.h, h), CKR_OBJECT_HANDLE_INVALID)
	}
	if n := len(f.search(CKA_LABEL, "short-lived")); n > 0 {
		t.Errorf("%d objects are left", n)
	}
	if n := len(f.another().search(CKA_LABEL, "short-lived")); n > 0 {
		t.Errorf("%d objects are left for another process", n)
	}
	lasting, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_DESTROYABLE, false))
	f.ok(err)
	want(t, "not to be destroyed", f.DestroyObject(f.h, lasting), CKR_ACTION_PROHIBITED)
}

// TestDestroyedElsewhere: an object that another process has destroyed is gone
// here, too, with the next call.
func TestDestroyedElsewhere(t *testing.T) {
	f := newUser(t)
	template := is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_LABEL, "shared")
	h, err := f.CreateObject(f.h, template)
	f.ok(err)
	other := f.another()
	there := other.one(CKA_LABEL, "shared")
	f.ok(f.DestroyObject(f.h, h))
	want(t, "change", other.SetAttributeValue(other.h, there, is(CKA_LABEL, "x")), CKR_OBJECT_HANDLE_INVALID)
	want(t, "destroy", other.DestroyObject(other.h, there), CKR_OBJECT_HANDLE_INVALID)
	want(t, "record that is gone", codeOf(store.ErrNoRecord), CKR_OBJECT_HANDLE_INVALID)
}

// TestPermanentSlots: they cannot be destroyed, whatever is tried.
func TestPermanentSlots(t *testing.T) {
	f := newUser(t)
	for slot := range int(scm.PermanentSlots) {
		for _, h := range []uint{f.private(slot), f.public(slot)} {
			f.reads(h, CKA_DESTROYABLE, false)
			want(t, "destroy", f.DestroyObject(f.h, h), CKR_ACTION_PROHIBITED)
			want(t, "make destroyable", f.SetAttributeValue(f.h, h, is(CKA_DESTROYABLE, true)), CKR_ATTRIBUTE_READ_ONLY)
		}
	}
}

// TestDestroyPrivateFirst: the key goes with its private half; the public half
// lives on, with its handle, as an object of the store.
func TestDestroyPrivateFirst(t *testing.T) {
	f := newUser(t)
	public, private := f.tokenPair(scm.P256)
	f.ok(f.SetAttributeValue(f.h, public, is(CKA_LABEL, "survivor")))
	signature, err := f.sign(CKM_ECDSA, private, digest32)
	f.ok(err)
	f.ok(f.DestroyObject(f.h, private))
	want(t, "sign", f.SignInit(f.h, &Mechanism{Type: CKM_ECDSA}, private), CKR_KEY_HANDLE_INVALID)
	if got := f.one(CKA_LABEL, "survivor"); got != public {
		t.Errorf("the public key has the handle %d, want %d", got, public)
	}
	_, err = f.tryRead(public, zkSlot)
	want(t, "its slot", err, CKR_ATTRIBUTE_TYPE_INVALID)
	want(t, "verify", f.verify(CKM_ECDSA, public, digest32, signature), CKR_OK)

	other := f.another()
	there := other.one(CKA_LABEL, "survivor")
	want(t, "verify elsewhere", other.verify(CKM_ECDSA, there, digest32, signature), CKR_OK)
	next, _ := f.tokenPair(scm.P256) // takes the slot that is free again
	f.reads(next, zkSlot, 16)
	f.ok(f.DestroyObject(f.h, public))
	f.public(16)
	if n := f.log.count("slot 16"); n > 0 {
		t.Errorf("%d lines about the slot", n)
	}
}

// TestDestroyPublicFirst: the private half signs on, in other processes, too.
func TestDestroyPublicFirst(t *testing.T) {
	f := newUser(t)
	public, private := f.tokenPair(scm.P256)
	f.ok(f.DestroyObject(f.h, public))
	_, err := f.sign(CKM_ECDSA, private, digest32)
	want(t, "sign", err, CKR_OK)
	other := f.another()
	_, err = other.sign(CKM_ECDSA, other.one(zkSlot, 16), digest32)
	want(t, "sign elsewhere", err, CKR_OK)
	f.ok(f.DestroyObject(f.h, private))
	if n := len(other.search(zkSlot, 16)); n > 0 {
		t.Errorf("%d objects are left of the slot", n)
	}
}

// TestPrivatePublicKey: a public key that the user made private is hidden from
// everybody else, and sealed, with its slot and after it.
func TestPrivatePublicKey(t *testing.T) {
	f := newUser(t)
	_, private := f.pair(scm.P256, []any{CKA_TOKEN, true, CKA_PRIVATE, true, CKA_LABEL, "hidden"}, []any{CKA_TOKEN, true})
	visible := func(n int) {
		t.Helper()
		other := openIn(t, f.dir, Options{})
		other.h = other.session(CKF_RW_SESSION)
		found := other.search(CKA_CLASS, CKO_PUBLIC_KEY)
		for _, r := range other.records() {
			if string(r.Attributes[CKA_LABEL]) == "hidden" {
				t.Error("the record is not sealed")
			}
		}
		if len(found) != scm.PermanentSlots {
			t.Errorf("%d public keys are visible to everybody, want %d", len(found), scm.PermanentSlots)
		}
		other.login(CKU_USER)
		if n != len(other.search(CKA_LABEL, "hidden")) {
			t.Errorf("the user does not see the key")
		}
	}
	visible(1)
	f.ok(f.DestroyObject(f.h, private))
	visible(1)
}

// TestDestroyBusy: when the store cannot be written, the caller is told, and
// what the token shows is what it holds.
func TestDestroyBusy(t *testing.T) {
	f := newPublic(t)
	slow := openIn(t, f.dir, Options{})
	slow.wait = 1
	slow.h = slow.session(CKF_RW_SESSION)
	object, err := slow.CreateObject(slow.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_LABEL, "stays"))
	f.ok(err)
	f.search()
	_, err = f.store.Update(func(*store.Tx) error {
		want(t, "create", create(slow, CKO_DATA), CKR_DEVICE_ERROR)
		want(t, "change", slow.SetAttributeValue(slow.h, object, is(CKA_LABEL, "x")), CKR_DEVICE_ERROR)
		want(t, "destroy", slow.DestroyObject(slow.h, object), CKR_DEVICE_ERROR)
		return nil
	})
	f.ok(err)
	slow.one(CKA_LABEL, "stays")
	f.one(CKA_LABEL, "stays")
	want(t, "create afterwards", create(slow, CKO_DATA), CKR_OK)
}

func create(f *fixture, class int) error {
	_, err := f.CreateObject(f.h, is(CKA_CLASS, class, CKA_TOKEN, true))
	return err
}
