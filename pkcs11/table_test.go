// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTableAgainstModel adds, replaces and removes at random, and
// compares every search with one that just looks at everything.
func TestTableAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c, model := newTable(), map[uint]*object{}
	for step := range 5000 {
		handle := uint(random.IntN(60) + 1)
		switch {
		case random.IntN(3) > 0:
			o := sampleObject(random, handle)
			c.add(o)
			model[handle] = o
		default:
			c.drop(handle)
			delete(model, handle)
		}
		if step%50 == 0 {
			compare(t, &c, model)
		}
	}
	for handle := range model {
		c.drop(handle)
	}
	if len(c.all)+len(c.index)+len(c.objects) > 0 {
		t.Errorf("an empty table holds %d objects, %d in the index", len(c.all), len(c.index))
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

func compare(t *testing.T, c *table, model map[uint]*object) {
	t.Helper()
	for _, template := range searches() {
		var expected []uint
		for handle, o := range model {
			if o.matches(template) {
				expected = append(expected, handle)
			}
		}
		slices.Sort(expected)
		var found []uint
		for _, o := range c.find(template) {
			found = append(found, o.handle)
		}
		if !slices.Equal(found, expected) {
			t.Fatalf("search for %x finds %d, want %d", template, found, expected)
		}
	}
	for handle, o := range model {
		if c.objects[handle] != o {
			t.Fatalf("object %d is not known by its handle", handle)
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

// TestCandidates: a search looks at the fewest objects that it can.
func TestCandidates(t *testing.T) {
	c := newTable()
	for i := range uint(100) {
		c.add(&object{handle: i + 1, id: identity{record: int64(i)}, attrs: attributes{
			CKA_CLASS: encodeULong(CKO_DATA), CKA_ID: fmt.Appendf(nil, "%d", i), CKA_LABEL: fmt.Appendf(nil, "%d", i%2),
		}})
	}
	for _, x := range []struct {
		template attributes
		look     int
	}{
		{attributes{}, 100},
		{attributes{CKA_CLASS: encodeULong(CKO_DATA)}, 100},
		{attributes{CKA_LABEL: []byte("1")}, 50},
		{attributes{CKA_LABEL: []byte("1"), CKA_ID: []byte("7")}, 1},
		{attributes{CKA_ID: []byte("none")}, 0},
	} {
		if n := len(c.candidates(x.template)); n != x.look {
			t.Errorf("search for %x looks at %d objects, want %d", x.template, n, x.look)
		}
	}
}
