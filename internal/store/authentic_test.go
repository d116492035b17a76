// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"slices"
	"testing"

	"libzk_pkcs11/internal/store"
)

// TestAuthentic: a record tells whether somebody who was logged in wrote it.
func TestAuthentic(t *testing.T) {
	s, dir, _ := initialized(t)
	put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("by anybody")})
	unlock(t, s)
	put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("by the user")})
	stripped := put(t, s, store.Record{Slot: store.NoSlot, Attributes: label("without its code")})
	edit(t, dir, "UPDATE records SET code = x'' WHERE id = ?", stripped)
	for name, s := range map[string]*store.Store{"unlocked": s, "locked": open(t, dir)} {
		var got []bool
		for _, r := range records(t, s) {
			got = append(got, r.Authentic)
		}
		if want := []bool{false, true, false}; !slices.Equal(got, want) {
			t.Errorf("%s store: %v, want %v", name, got, want)
		}
	}
}

// TestClaimWithoutCode: not even a locked store, which cannot check codes, takes
// a record of a key slot that has none.
func TestClaimWithoutCode(t *testing.T) {
	s, dir, _ := initialized(t)
	edit(t, dir, "INSERT INTO records (id, slot, private, sealed, hidden, public, attributes, code, revision) VALUES (9, 5, 0, 0, 0, x'', x'', x'', 0)")
	if got, damaged := read(t, s); len(got) != 0 || !slices.Equal(damaged, []int64{9}) {
		t.Errorf("records %v, damaged %v", got, damaged)
	}
}
