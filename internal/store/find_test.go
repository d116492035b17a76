// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"libzk_pkcs11/internal/store"
)

func term(kind uint64, value string) store.Term { return store.Term{Type: kind, Value: []byte(value)} }

func idsOf(records []store.Record) []int64 {
	ids := []int64{}
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestFind(t *testing.T) {
	s, _, _ := initialized(t)
	unlock(t, s)
	both := put(t, s, store.Record{Slot: store.NoSlot, Terms: []store.Term{term(1, "a"), term(2, "b")}, Attributes: label("both")})
	one := put(t, s, store.Record{Slot: store.NoSlot, Terms: []store.Term{term(1, "a")}})
	sealed := put(t, s, store.Record{Slot: store.NoSlot, Sealed: true, Terms: []store.Term{term(1, "a"), term(2, "b")}})
	none := put(t, s, store.Record{Slot: store.NoSlot})
	put(t, s, store.Record{Slot: 5, Terms: []store.Term{term(1, "a")}})
	tests := []struct {
		name         string
		terms        []store.Term
		open, locked []int64
	}{
		{"all", nil, []int64{both, one, sealed, none}, []int64{both, one, none}},
		{"one term", []store.Term{term(1, "a")}, []int64{both, one, sealed}, []int64{both, one}},
		{"two", []store.Term{term(1, "a"), term(2, "b")}, []int64{both, sealed}, []int64{both}},
		{"two, in the other order", []store.Term{term(2, "b"), term(1, "a")}, []int64{both, sealed}, []int64{both}},
		{"one twice", []store.Term{term(1, "a"), term(1, "a")}, []int64{both, one, sealed}, []int64{both, one}},
		{"unknown type", []store.Term{term(2, "a")}, []int64{}, []int64{}},
		{"unknown value", []store.Term{term(1, "a"), term(2, "")}, []int64{}, []int64{}},
	}
	for _, test := range tests {
		if got := idsOf(find(t, s, test.terms...)); !slices.Equal(got, test.open) {
			t.Errorf("%s: %v, want %v", test.name, got, test.open)
		}
	}
	if got := find(t, s, term(2, "b"))[0]; string(got.Attributes[3]) != "both" || !got.Authentic {
		t.Errorf("found %+v", got)
	}
	s.Logout()
	for _, test := range tests {
		if got := idsOf(find(t, s, test.terms...)); !slices.Equal(got, test.locked) {
			t.Errorf("%s, locked: %v, want %v", test.name, got, test.locked)
		}
	}
}

// model finds as Find does, among records that it knows.
type model map[int64][]store.Term

func (m model) find(terms []store.Term) []int64 {
	found := []int64{}
	for id, has := range m {
		missing := slices.ContainsFunc(terms, func(t store.Term) bool {
			return !slices.ContainsFunc(has, func(h store.Term) bool { return h.Type == t.Type && string(h.Value) == string(t.Value) })
		})
		if !missing {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found
}

func randomTerms(n int) (terms []store.Term) {
	for range n {
		terms = append(terms, term(uint64(rand.IntN(3)), fmt.Sprint(rand.IntN(4))))
	}
	return terms
}

// TestFindWhatWasPut makes, changes and deletes records at random.
func TestFindWhatWasPut(t *testing.T) {
	s, dir, _ := initialized(t)
	other := open(t, dir)
	unlock(t, s)
	unlock(t, other)
	known := model{}
	for step := range 400 {
		terms := randomTerms(rand.IntN(5))
		r := store.Record{Slot: store.NoSlot, Sealed: rand.IntN(2) == 1, Terms: terms}
		for id := range known {
			if rand.IntN(3) == 0 {
				r.ID = id
				break
			}
		}
		if r.ID != 0 && rand.IntN(3) == 0 {
			if _, err := s.Update(func(tx *store.Tx) error { return tx.Delete(r.ID) }); err != nil {
				t.Fatal(err)
			}
			delete(known, r.ID)
		} else {
			known[put(t, s, r)] = terms
		}
		if wanted := randomTerms(rand.IntN(4)); step%4 == 0 {
			if got, want := idsOf(find(t, other, wanted...)), known.find(wanted); !slices.Equal(got, want) {
				t.Fatalf("step %d: %v: found %v, want %v", step, wanted, got, want)
			}
		}
	}
	for id := range known {
		if _, err := s.Update(func(tx *store.Tx) error { return tx.Delete(id) }); err != nil {
			t.Fatal(err)
		}
	}
	if n := countOf(t, dir, "SELECT count(*) FROM terms"); n != 0 {
		t.Errorf("%d terms of no record are left", n)
	}
}

// A record of many terms is found by each and by all of them; the first is the rarest.
func TestManyTerms(t *testing.T) {
	s, dir, _ := initialized(t)
	var terms []store.Term
	for i := range 500 {
		terms = append(terms, term(uint64(i), "value"))
	}
	id := put(t, s, store.Record{Slot: store.NoSlot, Terms: terms})
	put(t, s, store.Record{Slot: store.NoSlot, Terms: terms[1:]})
	slices.Reverse(terms)
	if got := idsOf(find(t, s, terms...)); !slices.Equal(got, []int64{id}) {
		t.Errorf("found %v", got)
	}
	if _, err := s.Update(func(tx *store.Tx) error { return tx.Delete(id) }); err != nil {
		t.Fatal(err)
	}
	if n := countOf(t, dir, "SELECT count(*) FROM terms"); n != len(terms)-1 {
		t.Errorf("%d terms are left", n)
	}
}

func TestFindTellsRevisionAndDamage(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	id := put(t, s, store.Record{Slot: store.NoSlot, Terms: []store.Term{term(1, "a")}})
	edit(t, dir, "UPDATE records SET hidden = 1")
	revision, damaged, err := s.Find([]store.Term{term(1, "a")}, func(r *store.Record) { t.Errorf("found %+v", r) })
	if err != nil || !slices.Equal(damaged, []int64{id}) || revision != changes(t, s, 0).Revision {
		t.Errorf("revision %d, damaged %v, %v", revision, damaged, err)
	}
}

func countOf(t testing.TB, dir, query string) (n int) {
	t.Helper()
	s := open(t, dir)
	defer s.Close()
	n, err := s.Count(query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
