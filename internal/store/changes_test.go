// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"libzk_pkcs11/internal/processtest"
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

// A reader who has not looked for a long time reads everything.
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

// follower knows the IDs of records as a catalog does: by what has changed.
type follower struct {
	revision uint64
	known    map[int64]bool
}

func (f *follower) follow(t *testing.T, s *store.Store) {
	t.Helper()
	c := changes(t, s, f.revision)
	if c.Whole {
		f.known = map[int64]bool{}
		revision, _, err := s.Find(nil, func(r *store.Record) { f.known[r.ID] = true })
		if err != nil {
			t.Fatal(err)
		}
		c.Revision = min(c.Revision, revision) // what comes in between is read once more
	}
	for _, r := range c.Slots {
		f.known[r.ID] = true
	}
	for _, id := range c.Changed {
		f.known[id] = true
	}
	for _, id := range c.Deleted {
		delete(f.known, id)
	}
	f.revision = c.Revision
}

// check compares with everything that there is, and reports whether that is of the same revision.
func (f *follower) check(t *testing.T, s *store.Store) bool {
	t.Helper()
	c := changes(t, s, 0)
	there := idsOf(c.Slots)
	revision, _, err := s.Find(nil, func(r *store.Record) { there = append(there, r.ID) })
	if err != nil {
		t.Fatal(err)
	}
	if revision != f.revision || c.Revision != f.revision {
		return false
	}
	slices.Sort(there)
	if known := slices.Sorted(maps.Keys(f.known)); !slices.Equal(known, there) {
		t.Errorf("revision %d: known are %v, there are %v", revision, known, there)
	}
	return true
}

// TestFollowProcesses sees what several processes change, and forgets nothing.
func TestFollowProcesses(t *testing.T) {
	s, dir, _ := initialized(t)
	unlock(t, s)
	var all []*processtest.Process
	for range 3 {
		p := processtest.Start(t, "churn", dir)
		p.Tell("now")
		all = append(all, p)
	}
	f := &follower{}
	checked := 0
	for _, p := range all {
		done := make(chan string)
		go func() { done <- p.Hear() }()
		for heard := false; !heard; {
			select {
			case got := <-done:
				heard = true
				if got != "<nil>" {
					t.Error(got)
				}
			default:
				f.follow(t, s)
				if f.check(t, s) {
					checked++
				}
			}
		}
	}
	f.follow(t, s)
	if !f.check(t, s) {
		t.Errorf("revision %d, and nobody writes", f.revision)
	}
	if checked == 0 {
		t.Error("nothing has been checked")
	}
}

// churn makes, changes and deletes records of all kinds.
func churn(s *store.Store, in *bufio.Scanner) error {
	in.Scan()
	if _, err := s.Login(store.NormalUser, userPIN); err != nil {
		return err
	}
	var own []int64
	for range 150 {
		r := kinds[rand.IntN(len(kinds))]
		if r.Slot != store.NoSlot {
			r.Slot = rand.IntN(20)
		}
		_, err := s.Update(func(tx *store.Tx) error {
			if len(own) > 0 && rand.IntN(2) == 0 {
				if err := tx.Delete(own[0]); err != nil {
					return err
				}
				own = own[1:]
			}
			return tx.Put(&r)
		})
		if err != nil {
			fmt.Println(err)
			return err
		}
		if r.Slot == store.NoSlot {
			own = append(own, r.ID)
		}
	}
	fmt.Println(error(nil))
	return nil
}
