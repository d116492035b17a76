// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"testing"

	"libzk_pkcs11/internal/scm"
)

// The tests of this file are of two processes that change the same object: what
// one does comes between two steps of what the other does.

// during runs f once in the middle of a device call of a method.
func (f *fixture) during(method string, do func()) {
	f.device.Before(method, func(int) error {
		f.device.Before(method, func(int) error { return nil })
		do()
		return nil
	})
}

// newLabelled makes a key pair of token objects with a label, and returns the
// private one.
func (f *fixture) newLabelled(label string) uint {
	f.Helper()
	_, private := f.pair(scm.P256, []any{CKA_TOKEN, true}, []any{CKA_TOKEN, true, CKA_LABEL, label})
	return private
}

// replaceKey destroys a key and makes another, which takes its slot.
func (f *fixture) replaceKey(from, to string) {
	f.Helper()
	f.ok(f.DestroyObject(f.h, f.one(CKA_LABEL, from, CKA_CLASS, CKO_PRIVATE_KEY)))
	f.newLabelled(to)
}

// TestDestroyReplacedKey: a process that destroys a key never destroys the one that has
// taken its slot.
func TestDestroyReplacedKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	key := f.newLabelled("first")
	f.during("Remove", func() { other.replaceKey("first", "second") })
	want(t, "destroy", f.DestroyObject(f.h, key), CKR_OBJECT_HANDLE_INVALID)
	second := other.one(CKA_LABEL, "second")
	_, err := other.sign(CKM_ECDSA, second, digest32)
	want(t, "sign with the key of the other", err, CKR_OK)
}

// TestSignWithReplacedKey: a signature is by the key that it was begun with, or
// there is none. The same goes for a shared secret.
func TestSignWithReplacedKey(t *testing.T) {
	f := newUser(t)
	other := f.another()
	for _, c := range []struct {
		name, method string
		use          func(key uint) error
	}{
		{"C_Sign", "Sign", func(key uint) error { _, err := f.sign(CKM_ECDSA, key, digest32); return err }},
		{"C_SignFinal", "Sign", func(key uint) error { _, err := f.signParts(CKM_ECDSA_SHA256, key, digest32); return err }},
		{"C_DeriveKey", "Agree", func(key uint) error {
			_, err := f.derive(CKM_ECDH1_DERIVE, key, curves[scm.P256].rawPoint(publicOn(t, scm.P256)))
			return err
		}},
	} {
		key := f.newLabelled(c.name)
		f.during(c.method, func() { other.replaceKey(c.name, "another") })
		want(t, c.name, c.use(key), CKR_FUNCTION_FAILED)
		want(t, c.name+" with the new key", c.use(f.one(CKA_LABEL, "another", zkSlot, 16)), CKR_OK)
		f.ok(f.DestroyObject(f.h, f.one(CKA_LABEL, "another")))
	}
}

// TestNewKeyUnderOldName: a key that another process has just made, and has not
// named yet, does not show under the name of the one that was in its slot, where
// somebody who means that one could destroy it.
func TestNewKeyUnderOldName(t *testing.T) {
	f := newUser(t)
	f.newLabelled("old")
	exchange(t, f.device, 16, scm.P256)
	if n := len(f.another().search(CKA_LABEL, "old")); n > 0 {
		t.Errorf("%d objects have the old name", n)
	}
}

// TestDestroyLeavesNewRecords: the name that another process gives to a key while
// the one before it in its slot is destroyed stays, also when that was one which
// the store did not know.
func TestDestroyLeavesNewRecords(t *testing.T) {
	for _, known := range []bool{true, false} {
		f := newUser(t)
		other := f.another()
		f.newLabelled("old")
		if !known {
			exchange(t, f.device, 16, scm.P256)
		}
		key := f.private(16)
		f.token().device = slowRemoval{f.device, func() { other.newLabelled("new") }}
		f.ok(f.DestroyObject(f.h, key))
		f.newest("new")
		other.newest("new")
	}
}

// slowRemoval is a device that does something after each removal.
type slowRemoval struct {
	scm.Device
	then func()
}

func (d slowRemoval) Remove(k scm.Key) error {
	err := d.Device.Remove(k)
	d.then()
	return err
}

// newest checks that the key in the first user slot has a label and works.
func (f *fixture) newest(label string) {
	f.Helper()
	_, err := f.sign(CKM_ECDSA, f.one(CKA_LABEL, label), digest32)
	want(f, "sign with the newest key", err, CKR_OK)
}

// changeAfter changes an object after it was looked up and something else was done.
func (f *fixture) changeAfter(object uint, meanwhile func(), change ...any) error {
	return f.within(func(s *session) error {
		o, err := s.findObject(object)
		f.ok(err)
		meanwhile()
		list := is(change...)
		a, err := template(list)
		f.ok(err)
		return s.changeTokenObject(o, list, a)
	})
}

// TestChangesOfTwoProcesses: what two processes change in one object at the same
// time is all changed.
func TestChangesOfTwoProcesses(t *testing.T) {
	f := newUser(t)
	other := f.another()
	f.ok(create(f, CKO_DATA))
	_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_TOKEN, true, CKA_PRIVATE, true))
	f.ok(err)
	for _, c := range []struct {
		object    []any
		attribute int
	}{
		{[]any{CKA_CLASS, CKO_DATA, CKA_PRIVATE, false}, CKA_APPLICATION},
		{[]any{CKA_CLASS, CKO_DATA, CKA_PRIVATE, true}, CKA_APPLICATION},
		{[]any{CKA_CLASS, CKO_PUBLIC_KEY, zkSlot, 3}, CKA_ID},
		{[]any{CKA_CLASS, CKO_PRIVATE_KEY, zkSlot, 3}, CKA_ID},
	} {
		mine, theirs := f.one(c.object...), other.one(c.object...)
		for _, text := range []string{"first", "second"} { // without and with a record of a key
			f.ok(f.changeAfter(mine, func() {
				f.ok(other.SetAttributeValue(other.h, theirs, is(CKA_LABEL, text)))
			}, c.attribute, text))
			for _, g := range []*fixture{f, other} {
				object := g.one(c.object...)
				g.reads(object, CKA_LABEL, text)
				g.reads(object, uint(c.attribute), text)
			}
		}
	}
}

// TestChangeTooLate: what another process has done meanwhile can forbid a change.
func TestChangeTooLate(t *testing.T) {
	for _, c := range []struct {
		name      string
		object    []any
		meanwhile func(other *fixture, object uint)
		change    []any
		wanted    Error
	}{
		{"destroyed", []any{CKA_CLASS, CKO_DATA}, func(g *fixture, o uint) { g.ok(g.DestroyObject(g.h, o)) },
			[]any{CKA_LABEL, "x"}, CKR_OBJECT_HANDLE_INVALID},
		{"hidden", []any{CKA_CLASS, CKO_PUBLIC_KEY, zkSlot, 16}, func(g *fixture, o uint) { g.ok(g.DestroyObject(g.h, o)) },
			[]any{CKA_LABEL, "x"}, CKR_OBJECT_HANDLE_INVALID},
		{"replaced", []any{CKA_CLASS, CKO_PRIVATE_KEY, zkSlot, 16}, func(g *fixture, _ uint) { g.replaceKey("old", "new") },
			[]any{CKA_LABEL, "x"}, CKR_OBJECT_HANDLE_INVALID},
		{"restricted", []any{CKA_CLASS, CKO_DATA}, func(g *fixture, o uint) {
			g.ok(g.SetAttributeValue(g.h, o, is(CKA_COPYABLE, false)))
		}, []any{CKA_COPYABLE, true}, CKR_ATTRIBUTE_READ_ONLY},
	} {
		f := newUser(t)
		f.ok(create(f, CKO_DATA))
		f.newLabelled("old")
		other := f.another()
		theirs := other.one(c.object...)
		err := f.changeAfter(f.one(c.object...), func() { c.meanwhile(other, theirs) }, c.change...)
		want(t, c.name, err, c.wanted)
		if n := len(f.search(CKA_LABEL, "x")); n > 0 {
			t.Errorf("%s: the change was made", c.name)
		}
	}
}

// TestHideTooLate: a public key object that is destroyed after its slot has got
// another key takes nothing of that one along.
func TestHideTooLate(t *testing.T) {
	f := newUser(t)
	other := f.another()
	f.newLabelled("old")
	public := f.public(16)
	err := f.within(func(s *session) error {
		o, err := s.findObject(public)
		f.ok(err)
		other.replaceKey("old", "new")
		return s.token.destroy(o)
	})
	want(t, "destroy", err, CKR_OBJECT_HANDLE_INVALID)
	f.newest("new")
}
