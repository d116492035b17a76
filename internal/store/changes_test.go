// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"slices"
	"testing"

	"libzk_pkcs11/internal/store"
)

// checkChanges checks what has changed since a revision, and returns the revision now.
func checkChanges(t *testing.T, s *store.Store, since uint64, want store.Changes) uint64 {
	t.Helper()
	got := changes(t, s, since)
	if got.Whole != want.Whole || !slices.Equal(got.Changed, want.Changed) || !slices.Equal(got.Deleted, want.Deleted) ||
		!slices.Equal(got.Damaged, want.Damaged) || !slices.Equal(idsOf(got.Slots), idsOf(want.Slots)) {
		t.Errorf("since %d: %+v, want %+v", since, got, want)
	}
	return got.Revision
}

func slots(ids ...int64) (records []store.Record) {
	for _, id := range ids {
		records = append(records, store.Record{ID: id})
	}
	return records
}

func TestChangesSince(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	other := open(t, dir)
	unlock(t, other)
	start := checkChanges(t, other, 0, store.Changes{Whole: true})
	a, b := put(t, s, kinds[0]), put(t, s, kinds[1])
	half := put(t, s, kinds[2])
	now := checkChanges(t, other, start, store.Changes{Changed: []int64{a, b}, Slots: slots(half)})
	if now != start+3 {
		t.Errorf("revision %d after three transactions from %d on", now, start)
	}
	checkChanges(t, other, now, store.Changes{})
	checkChanges(t, other, 0, store.Changes{Whole: true, Slots: slots(half)})
	checkChanges(t, other, now+1, store.Changes{Whole: true, Slots: slots(half)})

	change(t, s, store.Record{ID: b, Slot: store.NoSlot})
	then := checkChanges(t, other, now, store.Changes{Changed: []int64{b}})
	second := put(t, s, kinds[2])
	checkChanges(t, other, then, store.Changes{Slots: slots(second), Deleted: []int64{half}})
	if _, err := s.Update(func(tx *store.Tx) error {
		return errors.Join(tx.Delete(a), tx.DeleteSlot(0, []byte("public key")))
	}); err != nil {
		t.Fatal(err)
	}
	checkChanges(t, other, then, store.Changes{Deleted: []int64{a, half, second}})
	checkChanges(t, other, start, store.Changes{Changed: []int64{b}, Deleted: []int64{a, half, second}})
}

// What has not changed a record has no revision.
func TestRevisionCountsChanges(t *testing.T) {
	s, _, secret := initialized(t)
	unlock(t, s)
	put(t, s, kinds[2])
	start := changes(t, s, 0).Revision
	failure := errors.New("failure of the caller")
	for _, fn := range []func(*store.Tx) error{
		func(*store.Tx) error { return nil },
		func(tx *store.Tx) error { return errors.Join(tx.Put(&store.Record{Slot: store.NoSlot}), failure) },
		func(tx *store.Tx) error { return tx.DeleteSlot(9, nil) },
		func(tx *store.Tx) error { return tx.Delete(1000) },
	} {
		_, _ = s.Update(fn)
	}
	if err := s.SetPIN(store.NormalUser, secret, userPIN); err != nil {
		t.Fatal(err)
	}
	if now := checkChanges(t, s, start, store.Changes{}); now != start {
		t.Errorf("revision %d, want %d", now, start)
	}
}

func TestChangesOfSealedSlots(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	id := put(t, s, kinds[3])
	locked := open(t, dir)
	if got := changes(t, locked, 0).Slots; len(got) != 1 || got[0].Attributes != nil || got[0].ID != id {
		t.Errorf("locked store: %+v", got)
	}
	edit(t, dir, "UPDATE records SET hidden = 1")
	checkChanges(t, s, 0, store.Changes{Whole: true, Damaged: []int64{id}})
	checkChanges(t, s, 1, store.Changes{Whole: true, Damaged: []int64{id}})
}

func TestInitializeIsAWholeChange(t *testing.T) {
	s, dir, _ := initialized(t)
	put(t, s, kinds[0])
	other := open(t, dir)
	before := changes(t, other, 0).Revision
	if err := initializeAgain(s); err != nil {
		t.Fatal(err)
	}
	now := checkChanges(t, other, before, store.Changes{Whole: true})
	checkChanges(t, other, now, store.Changes{})
}

// Who has not looked for a long time reads everything.
func TestDeletionsAreForgotten(t *testing.T) {
	const many = 1000
	s, dir, _ := initialized(t)
	first := fill(t, s, 0, 1)
	start := changes(t, s, 0).Revision
	checkDeletions := func(want int) {
		t.Helper()
		if n := countOf(t, dir, "SELECT count(*) FROM deletions"); n != want {
			t.Errorf("%d deletions are remembered, want %d", n, want)
		}
	}
	remove := func(n int) (revision uint64) {
		t.Helper()
		_, err := s.Update(func(tx *store.Tx) error {
			for range n {
				r := store.Record{Slot: store.NoSlot}
				if err := errors.Join(tx.Put(&r), tx.Delete(r.ID)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return changes(t, s, 0).Revision
	}
	one := remove(1)
	remove(many - 1)
	checkDeletions(many)
	if c := changes(t, s, start); c.Whole || len(c.Deleted) != many {
		t.Errorf("%d deletions, whole %v", len(c.Deleted), c.Whole)
	}
	last := remove(1)
	checkDeletions(many)
	checkChanges(t, s, start, store.Changes{Whole: true})
	if c := changes(t, s, one); c.Whole || len(c.Deleted) != many {
		t.Errorf("%d deletions, whole %v", len(c.Deleted), c.Whole)
	}
	remove(many + 1)
	checkDeletions(0)
	checkChanges(t, s, last, store.Changes{Whole: true})
	if _, _, err := s.Record(first); err != nil {
		t.Errorf("a record that stays: %v", err)
	}
}
