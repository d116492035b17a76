// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCatalogAgainstModel adds, replaces, removes and forgets at random, and
// compares every search with one that just looks at everything.
func TestCatalogAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c, model := newCatalog(), map[uint]*object{}
	for step := range 5000 {
		handle := uint(random.IntN(60) + 1)
		switch {
		case random.IntN(3) > 0:
			o := sampleObject(random, handle)
			c.add(o)
			model[handle] = o
		case random.IntN(2) == 0:
			c.remove(handle)
			delete(model, handle)
		case model[handle] != nil:
			c.forget(model[handle])
			delete(model, handle)
		}
		if step%50 == 0 {
			compare(t, &c, model)
		}
	}
	for handle := range model {
		c.remove(handle)
	}
	if len(c.all)+len(c.index)+len(c.objects) > 0 {
		t.Errorf("an empty catalog holds %d objects, %d in the index", len(c.all), len(c.index))
	}
}

func sampleObject(random *rand.Rand, handle uint) *object {
	o := &object{handle: handle, id: identity{record: int64(handle)}, attrs: attributes{}}
	for _, t := range append(indexed[:], CKA_CLASS) {
		if random.IntN(3) > 0 {
			o.attrs[t] = []byte{byte(random.IntN(5))}
		}
	}
	return o
}

func compare(t *testing.T, c *catalog, model map[uint]*object) {
	t.Helper()
	everything := func(*object) bool { return true }
	for _, template := range searches() {
		var expected []uint
		for handle, o := range model {
			if o.matches(template) {
				expected = append(expected, handle)
			}
		}
		slices.Sort(expected)
		if found := c.find(template, everything); !slices.Equal(found, expected) {
			t.Fatalf("search for %x finds %d, want %d", template, found, expected)
		}
	}
	for handle, o := range model {
		if c.objects[handle] != o || c.handles[o.id] != handle {
			t.Fatalf("object %d is not known by its handle or its identity", handle)
		}
	}
}

// searches are templates of none, one and two attributes.
func searches() []attributes {
	all := []attributes{{}}
	types := append(indexed[:], CKA_CLASS)
	for i, a := range types {
		for v := range 6 {
			all = append(all, attributes{a: {byte(v)}}, attributes{a: {byte(v)}, types[(i+1)%len(types)]: {byte(v % 3)}})
		}
	}
	return all
}

// TestCatalogIdentity: an object keeps its handle when it is read anew, and
// loses it when it is forgotten.
func TestCatalogIdentity(t *testing.T) {
	c := newCatalog()
	o := &object{handle: 5, id: identity{record: 1}, attrs: attributes{}}
	c.add(o)
	c.remove(5)
	if c.handles[o.id] != 5 {
		t.Error("a removed object has lost its handle")
	}
	c.add(o)
	c.forget(o)
	if _, known := c.handles[o.id]; known {
		t.Error("a forgotten object has kept its handle")
	}
	mine := &object{handle: 6, owner: &session{}, attrs: attributes{}}
	c.add(mine)
	if len(c.handles) > 0 {
		t.Error("a session object has an identity")
	}
}

// TestCandidates: a search looks at the fewest objects that it can.
func TestCandidates(t *testing.T) {
	c := newCatalog()
	for i := range uint(100) {
		c.add(&object{handle: i + 1, id: identity{record: int64(i)}, attrs: attributes{
			CKA_CLASS: ulong(CKO_DATA), CKA_ID: fmt.Appendf(nil, "%d", i), CKA_LABEL: fmt.Appendf(nil, "%d", i%2),
		}})
	}
	for _, x := range []struct {
		template attributes
		look     int
	}{
		{attributes{}, 100},
		{attributes{CKA_CLASS: ulong(CKO_DATA)}, 100},
		{attributes{CKA_LABEL: []byte("1")}, 50},
		{attributes{CKA_LABEL: []byte("1"), CKA_ID: []byte("7")}, 1},
		{attributes{CKA_ID: []byte("none")}, 0},
	} {
		if n := len(c.candidates(x.template)); n != x.look {
			t.Errorf("search for %x looks at %d objects, want %d", x.template, n, x.look)
		}
	}
}
