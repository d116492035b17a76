// SPDX-License-Identifier: Apache-2.0

package sharedfile_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"libzk_pkcs11/internal/sharedfile"
)

func TestChangeTellsTheVersions(t *testing.T) {
	path := newPath(t)
	f, g := open(t, path), open(t, path)
	before := f.Version()
	first, err := f.Change(changeOf(0))
	if err != nil {
		t.Fatal(err)
	}
	if first.Before != before || first.After != f.Version() || first.After == before {
		t.Errorf("Change is %v, Version was %d and is %d", first, before, f.Version())
	}
	mustIncrement(t, g)
	if second, err := f.Change(changeOf(0)); err != nil || second.Before == first.After {
		t.Errorf("Change after another's: %v, %v, but it was not noticed", second, err)
	}
}

// changeOf is increment for Change, of those parts.
func changeOf(parts ...int) func(*sql.Tx) ([]int, error) {
	return func(tx *sql.Tx) ([]int, error) { return parts, increment(tx) }
}

func TestPartsHaveVersions(t *testing.T) {
	path := newPath(t)
	f, g := open(t, path), open(t, path)
	for _, test := range []struct {
		name    string
		parts   []int
		changed [2]bool
	}{
		{"first", []int{0}, [2]bool{true, false}},
		{"second", []int{1}, [2]bool{false, true}},
		{"both", []int{1, 0}, [2]bool{true, true}},
		{"none", nil, [2]bool{}},
		{"one that there is not", []int{1 << 20}, [2]bool{true, true}},
	} {
		before := [2]uint64{g.PartVersion(0), g.PartVersion(1)}
		c, err := f.Change(changeOf(test.parts...))
		if err != nil {
			t.Fatal(err)
		}
		if v := g.Version(); v != c.After || v <= c.Before {
			t.Errorf("%s: Version is %d after %v", test.name, v, c)
		}
		for part, changed := range test.changed {
			want := before[part]
			if changed {
				want = c.After
			}
			if v := g.PartVersion(part); v != want {
				t.Errorf("%s: part %d has version %d, want %d", test.name, part, v, want)
			}
		}
	}
	mustIncrement(t, f)
	if v := g.Version(); g.PartVersion(0) != v || g.PartVersion(1) != v {
		t.Errorf("after Update: %d, %d, %d", v, g.PartVersion(0), g.PartVersion(1))
	}
}

func TestFailedChangeTellsNothing(t *testing.T) {
	f, _ := openNew(t)
	version, part := f.Version(), f.PartVersion(0)
	failure := errors.New("failure of the caller")
	c, err := f.Change(func(tx *sql.Tx) ([]int, error) { return []int{0}, failure })
	if !errors.Is(err, failure) || c != (sharedfile.Change{}) {
		t.Errorf("Change: %v, %v", c, err)
	}
	if f.Version() != version || f.PartVersion(0) != part {
		t.Errorf("versions %d and %d, were %d and %d", f.Version(), f.PartVersion(0), version, part)
	}
}

// TestChangesAreInOrder: between the versions of a change lies no other.
func TestChangesAreInOrder(t *testing.T) {
	path := newPath(t)
	var mu sync.Mutex
	after := map[uint64]uint64{} // by before
	var group sync.WaitGroup
	for range 4 {
		f := open(t, path)
		group.Go(func() {
			for range 25 {
				c, err := f.Change(changeOf(0))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				after[c.Before] = c.After
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(after) != 100 {
		t.Fatalf("%d changes of 100 have a version of their own", len(after))
	}
	last := open(t, path).Version()
	for before, v := range after {
		if _, next := after[v]; !next && v != last {
			t.Errorf("a change leads from %d to %d, and none goes on from there", before, v)
		}
	}
}
