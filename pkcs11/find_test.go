// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"slices"
	"testing"

	"libzk_pkcs11/internal/scm"
)

// order is the order in which objects are found.
type order []uint

func (o order) precedes(a, b uint) int { return slices.Index(o, a) - slices.Index(o, b) }

func TestFindTemplates(t *testing.T) {
	f := newUser(t)
	for i := range 3 {
		_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA, CKA_LABEL, "data", CKA_APPLICATION, fmt.Sprint(i)))
		f.ok(err)
	}
	all := order(f.search())
	for _, c := range []struct {
		name     string
		template []Attribute
		found    int
	}{
		{"everything", nil, 35 + profileObjects},
		{"private keys", is(CKA_CLASS, CKO_PRIVATE_KEY), 16},
		{"public keys", is(CKA_CLASS, CKO_PUBLIC_KEY), 16},
		{"Edwards keys", is(CKA_KEY_TYPE, CKK_EC_EDWARDS), 4},
		{"one slot", is(zkSlot, 3), 2},
		{"by ID", is(CKA_ID, []byte{14}), 2},
		{"by ID and class", is(CKA_ID, []byte{14}, CKA_CLASS, CKO_PRIVATE_KEY), 1},
		{"by label", is(CKA_LABEL, "SCM slot 3"), 2},
		{"not indexed", is(CKA_APPLICATION, "1"), 1},
		{"by two that exclude each other", is(CKA_LABEL, "SCM slot 3", CKA_ID, []byte{4}), 0},
		{"a type twice", is(zkSlot, 3, zkSlot, 3), 2},
		{"a type with two values", is(zkSlot, 3, zkSlot, 4), 0},
		{"attribute that none has", is(CKA_MODULUS, "x"), 0},
		{"prefix of a value", is(CKA_LABEL, "SCM slot"), 0},
		{"a number cut short", []Attribute{{CKA_CLASS, []byte{CKO_PRIVATE_KEY}}}, 0},
		{"secret", is(CKA_CLASS, CKO_PRIVATE_KEY, CKA_VALUE, ""), 0},
	} {
		f.ok(f.FindObjectsInit(f.h, c.template))
		found := make([]uint, 100)
		n, err := f.FindObjects(f.h, found)
		f.ok(err)
		f.ok(f.FindObjectsFinal(f.h))
		if n != c.found || !slices.IsSortedFunc(found[:n], all.precedes) {
			t.Errorf("%s: found %d, want %d in the order of %d", c.name, found[:n], c.found, all)
		}
	}
}

// TestFindInPieces: a search hands out each object once, however it is asked,
// and is over only when the caller says so.
func TestFindInPieces(t *testing.T) {
	f := newUser(t)
	all := f.search()
	f.ok(f.FindObjectsInit(f.h, nil))
	var got []uint
	for _, size := range []int{0, 1, 5, 100, 1, 0} {
		piece := make([]uint, size)
		n, err := f.FindObjects(f.h, piece)
		f.ok(err)
		got = append(got, piece[:n]...)
	}
	if !slices.Equal(got, all) {
		t.Errorf("in pieces %d, at once %d", got, all)
	}
	want(t, "another search", f.FindObjectsInit(f.h, nil), CKR_OPERATION_ACTIVE)
	f.ok(f.FindObjectsFinal(f.h))
	_, err := f.FindObjects(f.h, nil)
	want(t, "after the end", err, CKR_OPERATION_NOT_INITIALIZED)
	want(t, "second end", f.FindObjectsFinal(f.h), CKR_OPERATION_NOT_INITIALIZED)
}

func TestFindErrors(t *testing.T) {
	f := newUser(t)
	want(t, "no session", f.FindObjectsInit(f.h+1000, nil), CKR_SESSION_HANDLE_INVALID)
	f.device.Fail("Keys", 1, scm.ErrAbsent)
	f.token().forgetObjects()
	want(t, "no device", f.FindObjectsInit(f.h, nil), CKR_DEVICE_REMOVED)
	f.ok(f.FindObjectsInit(f.h, nil)) // what failed has begun nothing
}

// TestFindTypeTwice: a type that stands twice finds what has both values.
func TestFindTypeTwice(t *testing.T) {
	f := newUser(t)
	if found := f.search(CKA_ID, []byte{1}, CKA_ID, []byte{1}); len(found) != 2 {
		t.Errorf("the same value twice: found %d, want both halves of a pair", len(found))
	}
	if found := f.search(CKA_ID, []byte{1}, CKA_ID, []byte{2}); len(found) != 0 {
		t.Errorf("two values: found %d", len(found))
	}
}

// TestFindSecret: a value that cannot be read cannot be guessed by searching.
func TestFindSecret(t *testing.T) {
	f := newUser(t)
	for _, c := range []struct {
		sensitive, extractable bool
		found                  int
	}{{false, true, 1}, {true, true, 0}, {false, false, 0}} {
		h, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_SECRET_KEY, CKA_KEY_TYPE, CKK_GENERIC_SECRET,
			CKA_VALUE, "guess", CKA_SENSITIVE, c.sensitive, CKA_EXTRACTABLE, c.extractable))
		f.ok(err)
		if found := f.search(CKA_VALUE, "guess"); len(found) != c.found {
			t.Errorf("%+v: found %d", c, found)
		}
		f.ok(f.DestroyObject(f.h, h))
	}
}

// TestFindQuirks: what a broken client could not bear is left out of the one
// search in which it would meet it.
func TestFindQuirks(t *testing.T) {
	for _, c := range []struct {
		name     string
		quirks   Quirks
		template []Attribute
		found    int
	}{
		{"none", Quirks{}, is(CKA_CLASS, CKO_PUBLIC_KEY), 17},
		{"key types by class", Quirks{HideOtherKeyTypes: true}, is(CKA_CLASS, CKO_PUBLIC_KEY), 15},
		{"key types by class, private", Quirks{HideOtherKeyTypes: true}, is(CKA_CLASS, CKO_PRIVATE_KEY), 15},
		{"key types by class, data", Quirks{HideOtherKeyTypes: true}, is(CKA_CLASS, CKO_DATA), 1},
		{"key types by class and more", Quirks{HideOtherKeyTypes: true}, is(CKA_CLASS, CKO_PUBLIC_KEY, CKA_TOKEN, true), 17},
		{"key types, everything", Quirks{HideOtherKeyTypes: true}, nil, 35 + profileObjects},
		{"curves by class", Quirks{HideUnknownCurves: true}, is(CKA_CLASS, CKO_PUBLIC_KEY), 16},
		{"curves by class and more", Quirks{HideUnknownCurves: true}, is(CKA_CLASS, CKO_PUBLIC_KEY, CKA_TOKEN, true), 16},
		{"curves, everything", Quirks{HideUnknownCurves: true}, nil, 34 + profileObjects},
		{"curves, private", Quirks{HideUnknownCurves: true}, is(CKA_CLASS, CKO_PRIVATE_KEY), 17},
		{"both by class", Quirks{HideOtherKeyTypes: true, HideUnknownCurves: true}, is(CKA_CLASS, CKO_PUBLIC_KEY), 14},
		{"both by class, private", Quirks{HideOtherKeyTypes: true, HideUnknownCurves: true}, is(CKA_CLASS, CKO_PRIVATE_KEY), 15},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newPublicWith(t, Options{Quirks: func() Quirks { return c.quirks }})
			f.login(CKU_USER)
			f.tokenPair(scm.Secp256k1)
			_, err := f.CreateObject(f.h, is(CKA_CLASS, CKO_DATA))
			f.ok(err)
			f.ok(f.FindObjectsInit(f.h, c.template))
			n, err := f.FindObjects(f.h, make([]uint, 100))
			f.ok(err)
			if n != c.found {
				t.Errorf("found %d, want %d", n, c.found)
			}
		})
	}
}

// TestQuirksAreAskedLate: the host is looked at only by a search that could meet
// its defect.
func TestQuirksAreAskedLate(t *testing.T) {
	asked := 0
	f := newPublicWith(t, Options{Quirks: func() Quirks { asked++; return Quirks{} }})
	f.search(CKA_ID, "x")
	if asked > 0 {
		t.Error("asked by a search for an ID")
	}
	f.search(CKA_CLASS, CKO_PUBLIC_KEY)
	f.search()
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestKeysInSlot(t *testing.T) {
	f := newPublic(t)
	for _, c := range []struct {
		user bool
		slot int
		want int
	}{{false, 3, 1}, {false, 16, 0}, {true, 3, 2}, {true, -1, 0}} {
		if c.user && f.token().user() == nobody {
			f.login(CKU_USER)
		}
		found, err := f.KeysInSlot(f.h, c.slot)
		f.ok(err)
		if len(found) != c.want {
			t.Errorf("%+v: found %d", c, found)
		}
	}
}
